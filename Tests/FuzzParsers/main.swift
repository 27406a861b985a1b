import Foundation
import Glibc

// Parses damaged inputs until the time is over. A trap ends the process, as a signal does; a parser that does not return keeps it
// busy. Who started it has the input in the file named with --current.
//
//     fuzz-parsers --list
//     fuzz-parsers TARGET --input FILE
//     fuzz-parsers TARGET --each FILE [FILE …]
//     fuzz-parsers TARGET --seconds N --seed N --current FILE [SEED-FILE …]

private let sizeLimit = 1 << 20
/// What a parser may take at most, with all that the process has.
private let memoryLimit: rlim_t = 4 << 30

private func usage() -> Never {
    FileHandle.standardError.write(Data("usage: fuzz-parsers TARGET --seconds N --seed N --current FILE SEED…\n".utf8))
    exit(64)
}

private func read(_ path: String) -> [UInt8] { (FileManager.default.contents(atPath: path)).map { Array($0) } ?? [] }

private func report(_ parsed: Int, _ refused: Int) {
    // Not getrusage(2), whose ru_maxrss begins with what the process that started this one had.
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?.split(whereSeparator: \.isWhitespace)[1]
    print("parsed \(parsed) refused \(refused) memory \(peak ?? "")")
}

var words = Array(CommandLine.arguments.dropFirst())
var options: [String: String] = [:]
while let index = words.firstIndex(where: { $0.hasPrefix("--") }) {
    let name = words.remove(at: index)
    if name == "--list" {
        for target in FuzzTarget.all { print(target.name) }
        exit(0)
    }
    guard index < words.count else { usage() }
    options[name] = words.remove(at: index)
}
guard let name = words.first, let target = FuzzTarget.all.first(where: { $0.name == name }) else { usage() }

if let input = options["--input"] {
    do { try target.parse(read(input)) } catch { print("refused: \(error)") }
    exit(0)
}
if let first = options["--each"] {
    // So long only a parser takes that does not return: the process ends by a signal.
    var limit = rlimit(rlim_cur: 60, rlim_max: 60)
    setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &limit)
    var (parsed, refused) = (0, 0)
    for file in [first] + words.dropFirst() {
        do {
            try target.parse(read(file))
            parsed += 1
        } catch { refused += 1 }
    }
    report(parsed, refused)
    exit(0)
}
guard let seconds = options["--seconds"].flatMap(Double.init), let seed = options["--seed"].flatMap(UInt64.init),
    let path = options["--current"]
else { usage() }

// The shadow memory of a sanitizer has terabytes of addresses.
if getenv("ASAN_OPTIONS") == nil, getenv("TSAN_OPTIONS") == nil {
    var limit = rlimit(rlim_cur: memoryLimit, rlim_max: memoryLimit)
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
}
let current = try CurrentInput(path, limit: sizeLimit)
var mutator = Mutator(target.seeds + words.dropFirst().map(read), seed: seed, limit: sizeLimit)
var (parsed, refused) = (0, 0)
let clock = ContinuousClock()
let end = clock.now + .seconds(seconds)
while clock.now < end {
    let bytes = mutator.next()
    current.set(bytes, number: UInt64(parsed + refused + 1))
    do {
        try target.parse(bytes)
        parsed += 1
    } catch { refused += 1 }
}
report(parsed, refused)
