import LayerFSCommands

LayerFSCommand.runAndExit()
