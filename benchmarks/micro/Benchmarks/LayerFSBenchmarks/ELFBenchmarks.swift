import Benchmark
import Bytes
import ELF
import Posix

/// What resolving a program does with each file that it needs: headers, dynamic section, symbol versions.
func addELFBenchmarks() {
    Benchmark("ELF, bash parsed 100 times", configuration: .by(.files)) { benchmark, source in
        try benchmark.measure(100, .files) {
            for _ in 0..<100 { blackHole(try ELFImage(reading: source)) }
        }
    } setup: {
        ELFBytes(try Files.read("/bin/bash", limit: 64 << 20))
    }
}
