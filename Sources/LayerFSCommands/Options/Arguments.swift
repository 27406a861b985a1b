public import ArgumentParser
public import ImageTransport
public import LayerFSKit
public import Trees

// How the product's values are written on a command line.

extension RootExpression: ExpressibleByArgument {
    public init?(argument: String) {
        guard let expression = try? RootExpression(argument) else { return nil }
        self = expression
    }
}

extension Name: ExpressibleByArgument {
    public init?(argument: String) {
        guard let name = try? Name(argument) else { return nil }
        self = name
    }
}

extension ConflictPolicy: ExpressibleByArgument {}
extension LinkMode: ExpressibleByArgument {}
extension ExportImage.LayerForm: ExpressibleByArgument {}
extension Compression: ExpressibleByArgument {}
