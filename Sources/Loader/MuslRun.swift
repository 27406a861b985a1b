import Bytes
import ELF
import Posix

/// The loading of one program by musl's loader. Processors make no difference to it.
struct MuslRun {
    let found: ResolvedPath
    let image: ELFImage
    let loader: ResolvedPath
    let loaderName: ByteString
    let catalog: FileCatalog
    let options: ResolveOptions

    func load(into closure: inout ClosureBuilder) {
        let isSecure = catalog.isSecure(found)
        if isSecure { closure.add(.secureMode(found.path)) }
        let search = MuslSearch(
            catalog, header: image.header, loader: loader, loaderName: loaderName, options: options,
            isSecure: isSecure)
        let program = search.program(found, image, isSecure: isSecure)
        let loaderObject = (try? catalog.content(of: loader))?.image.map {
            LoadedObject(loader, $0, loader: nil, origin: "", path: [])
        }
        var load = MuslLoad(search, program: program, loader: loaderObject)
        load.loadDependencies(of: program, into: &closure)
        var onDemand = OnDemandLoading(
            catalog: catalog, program: found.path, options: options, library: .musl, glibc: nil)
        onDemand.follow(&load, into: &closure)
    }
}
