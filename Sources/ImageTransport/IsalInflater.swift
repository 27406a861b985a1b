#if arch(x86_64)
    import CIsal

    /// isa-l: twice as fast as zlib. Only where its code is Intel's own: that for ARM gave wrong bytes before 2.32
    /// (docs/decisions/0030-isa-l-reads-gzip.md).
    final class IsalInflater: MemberInflater {
        private let state: UnsafeMutableRawPointer

        /// - Throws: ``TransportError/outOfMemory``.
        init() throws(TransportError) {
            guard let state = cisal_new() else { throw .outOfMemory }
            self.state = state
        }

        deinit { cisal_free(state) }

        func begin() { cisal_begin(state) }

        func inflate(
            _ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>
        ) throws(InflateFailure) -> InflateStep? {
            let step = cisal_inflate(
                state, input.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(input.count), output.baseAddress,
                UInt32(output.count))
            guard step.status == ISAL_DECOMP_OK || step.status == ISAL_END_INPUT else {
                throw .damaged(Self.reason(step.status))
            }
            if step.is_end == 0, step.consumed == 0, step.produced == 0 {
                // Some damage is known to make it go nowhere without a word.
                guard input.isEmpty else { throw .damaged("the stream makes no sense") }
                return nil
            }
            return InflateStep(consumed: Int(step.consumed), produced: Int(step.produced), isEnd: step.is_end != 0)
        }

        private static func reason(_ status: Int32) -> String {
            switch status {
            case ISAL_INVALID_BLOCK: "invalid block"
            case ISAL_INVALID_SYMBOL: "invalid code"
            case ISAL_INVALID_LOOKBACK: "invalid distance too far back"
            case ISAL_INCORRECT_CHECKSUM: "incorrect data check"
            default: "damaged"
            }
        }
    }
#endif
