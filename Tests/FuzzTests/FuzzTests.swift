import Foundation
import Synchronization
import TestSupport
import Testing

/// Parsers given damaged inputs for FUZZ_SECONDS each, all at once; two seconds unless said otherwise.
struct FuzzTests {
    /// Files of this machine and the corpus that inputs are made from.
    static func files(_ target: String) -> [String] {
        switch target {
        case "elf":
            let corpus = Corpus.names("elf-patchelf").map { Corpus.folder("elf-patchelf") + "/" + $0 }
            return corpus + smallFiles("/usr/bin", 16) + smallFiles("/usr/lib/\(multiarch)", 16)
        case "cache": return ["/etc/ld.so.cache"]
        case "tar", "layer":
            return ["go-tar", "fuzz-tar"].flatMap { folder in
                Corpus.names(folder).map { Corpus.folder(folder) + "/" + $0 }
            }
        case "stream":
            return ["tar-split-asm", "fuzz-gzip"].flatMap { folder in
                Corpus.names(folder).map { Corpus.folder(folder) + "/" + $0 }
            }
        case "document": return Corpus.names("oci-image-spec").map { Corpus.folder("oci-image-spec") + "/" + $0 }
        default: return []
        }
    }

    #if arch(x86_64)
        private static let multiarch = "x86_64-linux-gnu"
    #elseif arch(arm64)
        private static let multiarch = "aarch64-linux-gnu"
    #endif

    /// The smallest ELF files of `folder`: what differs between files are their headers and tables, not their code.
    private static func smallFiles(_ folder: String, _ count: Int) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let sized = names.sorted().compactMap { name -> (path: String, size: Int)? in
            let path = folder + "/" + name
            guard let handle = FileHandle(forReadingAtPath: path),
                (try? handle.read(upToCount: 4)) == Data([0x7f, 0x45, 0x4c, 0x46]),
                let end = try? handle.seekToEnd()
            else { return nil }
            return (path, Int(end))
        }
        return sized.sorted { $0.size < $1.size }.prefix(count).map(\.path)
    }

    static let targets = (try? Tool.succeed(FuzzRun.program, ["--list"]).lines) ?? []

    @Test func thereAreTargets() { #expect(Self.targets.contains("elf") && Self.targets.contains("cache")) }

    /// Far above what the parsers take (some 30 MB with the runtime), far below what an unchecked count would ask for.
    static let memoryLimit = 512 << 10

    /// One run of each target, all at once: each has its whole time, and together they take no longer than one.
    private static let runs: [String: Result<FuzzRun, any Error>] = {
        let results = Mutex<[String: Result<FuzzRun, any Error>]>([:])
        let running = DispatchGroup()
        for target in targets {
            running.enter()
            Thread.detachNewThread {
                let result = Result { try FuzzRun(target, files: Self.files(target)) }
                results.withLock { $0[target] = result }
                running.leave()
            }
        }
        running.wait()
        return results.withLock { $0 }
    }()

    @Test("no input traps, hangs or takes memory without bound", arguments: targets)
    func fuzz(target: String) throws {
        let run = try #require(Self.runs[target]).get()
        #expect(run.finding == nil)
        if !isSanitized { #expect(run.memory < Self.memoryLimit, "\(run.memory) KiB") }
        // Both happen, or nothing is tested.
        #expect(run.parsed > 0 && run.refused > 0)
        print("fuzzed \(target): \(run.parsed) inputs parsed, \(run.refused) refused, \(run.memory) KiB at most")
    }

    @Test(
        "files that another fuzzer found: each is read or refused, without a trap, without end, or in more than 200 MB",
        .enabled(if: Corpus.isPresent("fuzz-tar"), "no corpus"),
        arguments: [
            ("tar", "fuzz-tar", 79), ("layer", "fuzz-tar", 43), ("stream", "fuzz-gzip", 62), ("tar", "go-tar", 31),
            // The seventh grows to more than this parser is allowed.
            ("stream", "tar-split-asm", 6),
        ])
    func found(target: String, folder: String, parsed: Int) throws {
        let files = Corpus.names(folder).map { Corpus.folder(folder) + "/" + $0 }
        let said = try Tool.succeed(FuzzRun.program, [target, "--each"] + files).text
        let numbers = said.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        try #require(numbers.count == 3, "\(said)")
        #expect(numbers[0] == parsed && numbers[0] + numbers[1] == files.count, "\(said)")
        if !isSanitized { #expect(numbers[2] < 200 << 10, "\(numbers[2]) KiB") }
    }
}
