public import ArgumentParser
public import ImageTransport
public import LayerFSKit
public import Loader
public import Trees

// How the product's values are written on a command line.

extension ConflictPolicy: ExpressibleByArgument {}
extension LinkMode: ExpressibleByArgument {}
extension ExportImage.LayerForm: ExpressibleByArgument {}
extension Compression: ExpressibleByArgument {}
extension ResolveOptions.DlopenPolicy: ExpressibleByArgument {}
extension EntryAspect: ExpressibleByArgument {}
