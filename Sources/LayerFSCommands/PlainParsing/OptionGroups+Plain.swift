import ImageTransport
import LayerFSKit
import Loader

// The groups of options that many verbs have, from plain arguments. Every property is given a value: one that is not would end the
// process when it is read. That they are what the parser makes of the same words, PlainParsingTests says.

extension OutputOptions {
    package static let plainFlags = ["-q", "--quiet", "-v", "--verbose"]
    package static let plainOptions = ["--progress"]

    /// - Throws: ``PlainArguments/Unfamiliar``.
    package init(plain: PlainArguments) throws {
        self.init()
        quiet = try plain.has("-q", "--quiet")
        verbose = try plain.has("-v", "--verbose")
        progress = try plain.value("--progress", as: ProgressStyle.init(rawValue:)) ?? .auto
    }
}

extension JSONOption {
    package static let plainFlags = ["--json"]

    /// - Throws: ``PlainArguments/Unfamiliar``.
    package init(plain: PlainArguments) throws {
        self.init()
        json = try plain.has("--json")
    }
}

extension StoreOptions {
    package static let plainOptions = ["--store", "--wait"]

    /// - Throws: ``PlainArguments/Unfamiliar``.
    package init(plain: PlainArguments) throws {
        self.init()
        store = plain.all("--store")
        wait = try plain.value("--wait") { UInt32($0) }
    }
}

extension CompressionOptions {
    package static let plainOptions = ["--compression", "--compression-level"]

    /// - Throws: ``PlainArguments/Unfamiliar``.
    package init(plain: PlainArguments) throws {
        self.init()
        compression = try plain.value("--compression", as: Compression.init(rawValue:))
        compressionLevel = try plain.value("--compression-level") { Int($0) }
    }
}

extension ClosureOptions {
    static let plainOptions = ["--root"]

    /// - Throws: ``PlainArguments/Unfamiliar``.
    init(plain: PlainArguments) throws {
        self.init()
        root = try plain.value("--root") { $0 }
        hwcaps = .policy(.portable)
        dlopen = .recommended
        (rules, libraryPath, preload) = (nil, nil, false)
    }
}

extension SourceOptions {
    static let plainOptions = ["--dir", "--file", "--package", "--preset", "--with", "--allow"]

    /// - Throws: ``PlainArguments/Unfamiliar``.
    init(plain: PlainArguments) throws {
        self.init()
        (dir, file) = (plain.all("--dir"), plain.all("--file"))
        (package, preset, with) = (plain.all("--package"), plain.all("--preset"), plain.all("--with"))
        allow = plain.all("--allow")
        (restOfPackage, withDepends, withDocs) = (false, false, false)
        (filesFrom, trace, exclude) = ([], [], [])
        (chown, chmod) = (nil, nil)
    }
}

extension ExportTargetOptions {
    static let plainOptions = ["--oci", "--oci-archive", "--docker", "--tar"]

    /// - Throws: ``PlainArguments/Unfamiliar``.
    init(plain: PlainArguments) throws {
        self.init()
        oci = try plain.value("--oci") { $0 }
        ociArchive = try plain.value("--oci-archive") { $0 }
        docker = try plain.value("--docker") { $0 }
        tar = try plain.value("--tar") { $0 }
        (cpio, bundle, squashfs, erofs) = (nil, nil, nil, nil)
    }
}
