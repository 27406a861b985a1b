import RegistryCommands

RegistryCommand.runAndExit()
