import Bytes
import ELF
import Loader

// What the loader reads of a root: programs and libraries, the cache, notes, scripts.

extension FuzzTarget {
    /// Headers, dynamic section, symbols, versions and notes. Its seeds are files.
    static let elf = FuzzTarget(name: "elf", seeds: []) { bytes in
        let source = ELFBytes(bytes)
        let image = try ELFImage(reading: source)
        _ = image.kind
        _ = LoaderConstants(loader: bytes, header: image.header)
        for selection in [SymbolSelection.imported, .defined] {
            _ = try? image.dynamicSymbols(selection, reading: source)
        }
        _ = image.dlopenNotes(reading: source)
        for need in image.dynamic?.versionNeeds ?? [] { _ = need.versions.map(\.name) }
    }

    static let loaderCache = FuzzTarget(
        name: "cache",
        seeds: [
            Array("glibc-ld.so.cache1.1".utf8) + [UInt8](repeating: 0, count: 28),
            Array("ld.so-1.7.0\u{0}".utf8) + [1, 0, 0, 0] + [UInt8](repeating: 0, count: 12)
                + Array("a\u{0}/b\u{0}".utf8),
        ]
    ) { bytes in
        for order in [ByteOrder.little, .big] {
            do {
                let cache = try LoaderCache(bytes, order: order)
                for entry in cache.entries.prefix(64) {
                    _ = cache.path(of: entry.name, flags: entry.flags, capabilities: cache.hardwareCapabilities)
                }
            } catch {
                if order == .big { throw error }
            }
        }
    }

    static let dlopenNote = FuzzTarget(
        name: "dlopen-note",
        seeds: [
            #"[{"soname":["libfido2.so.1","libfido2.so"],"feature":"fido2","description":"keys","priority":"suggested"}]"#,
            #"{"soname":"libx.so","priority":"required","more":[1,-2.5e3,true,false,null,{"a":{}}]}"#,
            #"[{"soname":["\u00e9\ud83d\ude00\n\\\""]}]"#, "[[[[[[[[[[]]]]]]]]]]",
        ].map { Array($0.utf8) + [0] }
    ) { bytes in
        _ = try DlopenNote.parse(bytes[...])
    }

    /// The `#!` line, and what env(1) makes of its argument.
    static let script = FuzzTarget(
        name: "script",
        seeds: [
            "#!/bin/sh -e\n", "#! /usr/bin/env -S -i A=1 python3 -I \"x y\" '\\n' ${HOME}\\_b\n",
            "#!/usr/bin/env  bash\r\n",
            "#!" + String(repeating: "/x", count: 126) + " argument", "#!\n", "#!/a\u{0}b\n",
        ].map { Array($0.utf8) }
    ) { bytes in
        guard let line = try Shebang(bytes) else { throw NoScript() }
        if let argument = line.argument { _ = EnvCommand(argument: argument) }
    }

    private struct NoScript: Error {}
}
