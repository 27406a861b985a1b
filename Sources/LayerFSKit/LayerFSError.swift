public import Bytes
public import Loader
public import Posix
public import Trees

/// What can go wrong in a use case, beside what the store, the loader and the transports report themselves.
public enum LayerFSError: Error, CustomStringConvertible {
    /// A system call failed while doing `step`.
    case system(step: String, SystemError)
    /// No place for the store is known.
    case noStoreLocation
    /// The place of a store must be absolute.
    case relativeStore(String)
    /// The target of a materialization or export exists and is not empty.
    case targetExists(ByteString)
    /// Two layers of one command would have the same name, but other content.
    case repeatedName(Name)
    /// No target was named.
    case emptyTarget
    /// The root's name cannot be that of an exported image.
    case unsuitableImageName(String)
    /// Neither a layer nor an image has one of the expression's names.
    case noSuchName(Name, near: [String])
    /// A program's name cannot be the name of a layer.
    case unsuitableName(String)
    /// What to add would make a tree that contradicts itself.
    case inconsistentTree(TreeError)
    /// The sources of a layer want different things on one path. Never empty; sorted by path.
    case conflictingSources([SourceConflict])
    /// A file or directory to be added is not there.
    case noSuchSource(ByteString, LookupFailure)
    /// A file or directory to be added is not what it must be.
    case unusableSource(ByteString, reason: String)
    /// Rules refuse files that were to be added. Never empty.
    case denied([Denial])
    /// No package owns the program whose package was asked for.
    case noPackage(of: TreePath)
    /// What was named as a root is no directory.
    case unusableRoot(ByteString, LookupFailure)
    case unknownPreset(String)
    /// The host lacks a file of a preset, which a Debian package would bring.
    case incompletePreset(String, lacking: ByteString, package: ByteString)
    /// A file or directory that is to be read is not there.
    case noSuchTarget(ByteString)
    /// The root has no such path.
    case noSuchPath(ByteString, in: RootExpression)
    /// Nothing says what the layer is to be called.
    case nameNeeded(String)
    /// The same of what is imported.
    case importNameNeeded(String)
    /// SOURCE_DATE_EPOCH is not a number of seconds.
    case malformedSourceDateEpoch(String)
    /// An option has a value that it cannot have.
    case malformedOption(name: String, value: String, expected: String)
    /// What was written does not unpack to the tree that was meant.
    case replayDiffers(TreePath, expected: String, found: String)
    /// The root has no such user or group.
    case unknownUser(String)
    /// The layers of an image are for different machines.
    case mixedPlatforms([String])
    /// Two images of an index are for one platform.
    case repeatedPlatform(String, images: [String])
    /// A layer was named where an image has to be.
    case notAnImage(Name)
    /// The index has no image for this machine.
    case noMember(Name, platforms: [String])
    /// Only root may mount and unmount.
    case mountNotPermitted(ByteString)
    /// The root has an extended attribute that an overlay would not show, but act on.
    case overlayAttribute(ByteString, at: TreePath)
    /// Nothing that layerfs mounted is there.
    case notMounted(ByteString)
    /// Something in the mount is still in use.
    case mountBusy(ByteString)

    public var description: String {
        switch self {
        case .system(let step, let error): "cannot \(step): \(error)"
        case .noStoreLocation:
            "cannot tell where the store is: neither LAYERFS_STORE, XDG_DATA_HOME nor HOME is set. Name it with --store"
        case .relativeStore(let path): "the store's path is empty or holds a NUL: '\(path)'"
        case .targetExists(let path):
            "\(path) exists and is not an empty directory. Name another place, or remove it first"
        case .repeatedName(let name):
            "two different layers would be named '\(name)'. Add them one by one, with --name"
        case .emptyTarget: "the target's path is empty"
        case .unsuitableImageName(let text):
            "'\(ByteString(text))' cannot be the name of an exported image. Give one with --name, such as shell:1.0"
        case .noSuchName(let name, let near):
            "there is no layer or image '\(name)'"
                + (near.isEmpty
                    ? "; `layerfs ls` lists what there is" : ". Did you mean \(near.joined(separator: " or "))?")
        case .unsuitableName(let text): "'\(text)' cannot be the name of a layer. Give one with --name"
        case .inconsistentTree(let error): "what was found does not make a tree: \(error)"
        case .conflictingSources(let conflicts):
            ([
                "what is to be added disagrees on \(conflicts.count) path\(conflicts.count == 1 ? "" : "s"); nothing was stored"
            ]
                + conflicts.prefix(10).map { "  \($0)" }
                + (conflicts.count > 10 ? ["  and \(conflicts.count - 10) more"] : [])).joined(separator: "\n")
        case .noSuchSource(let path, let failure): "cannot add \(path): \(failure)"
        case .unusableSource(let path, let reason): "cannot add \(path): \(reason)"
        case .denied(let denials):
            ([
                "\(denials.count) file\(denials.count == 1 ? " does" : "s do") not belong into an image; nothing was stored"
            ]
                + denials.prefix(10).map { "  \($0)" }
                + (denials.count > 10 ? ["  and \(denials.count - 10) more"] : [])
                + ["leave them out with --exclude, or let one through with --allow PATH"]).joined(separator: "\n")
        case .unusableRoot(let path, let failure): "cannot take \(path) as a root: \(failure)"
        case .noPackage(let path): "no installed package owns \(path)"
        case .unknownPreset(let name):
            "there is no preset '\(name)'; there are \(Preset.all.map(\.name).joined(separator: ", "))"
        case .incompletePreset(let name, let path, let package):
            "the preset \(name) needs \(path), which is not here. The Debian package \(package) brings it"
        case .noSuchTarget(let path): "there is no \(path)"
        case .noSuchPath(let path, let root): "\(root) has no \(path). `layerfs show \(root)` lists what it has"
        case .nameNeeded(let reason): "\(reason): say with --name what the layer is to be called"
        case .importNameNeeded(let reason): "\(reason): say with -t what it is to be called"
        case .malformedSourceDateEpoch(let text):
            "SOURCE_DATE_EPOCH is '\(text)'; it must be the number of seconds since 1970"
        case .malformedOption(let name, let value, let expected): "\(name) '\(value)': expected \(expected)"
        case .replayDiffers(let path, let expected, let found):
            "the written image is not what was composed: \(path) should be \(expected), but is \(found). Nothing was kept"
        case .unknownUser(let text):
            "the root knows no user '\(text)': give numbers, as 1000:1000, or add an /etc/passwd"
        case .mixedPlatforms(let platforms):
            "the layers are for different machines: \(platforms.joined(separator: ", ")). Say which with --platform"
        case .repeatedPlatform(let platform, let images):
            "an index has one image for each platform: \(images.joined(separator: " and ")) are all for \(platform)"
        case .notAnImage(let name):
            "'\(name)' is a layer: make an image of it first, with `layerfs compose \(name) -t NAME`"
        case .noMember(let name, let platforms):
            "'\(name)' has no image for this machine; it has \(platforms.joined(separator: ", "))"
        case .mountNotPermitted(let path):
            "cannot mount or unmount at \(path): only root may, outside of containers and user namespaces. Without root, "
                + "`layerfs run ROOT` runs a command in a root, and `layerfs materialize ROOT DIR` makes it on disk"
        case .overlayAttribute(let name, let path):
            "cannot mount the root: \(path) has the extended attribute \(name), which an overlay takes for its own. "
                + "`layerfs materialize` makes the root on disk"
        case .notMounted(let path): "\(path) is no mount that layerfs made. Nothing was unmounted"
        case .mountBusy(let path):
            "\(path) is in use: a file in it is open, or it is the current directory of a process. fuser -vm \(path) lists them"
        }
    }
}
