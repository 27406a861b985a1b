import RegistryCommands

await RegistryCommand.runAndExit()
