import Registry
import RegistryProtocol

/// The exit codes of what can go wrong with a registry: those of `layerfs --help`.
enum RegistryErrorReport {
    private static let failure: Int32 = 1
    private static let notFound: Int32 = 2
    private static let conflict: Int32 = 4
    private static let integrity: Int32 = 5
    private static let busy: Int32 = 6
    private static let usage: Int32 = 64

    static func exitCode(for error: any Error) -> Int32? {
        guard let error = error as? RegistryError else { return nil }
        return switch error {
        case .malformedPlace, .malformedProxy: usage
        case .notFound, .noPlatform: notFound
        case .digestMismatch, .sizeMismatch, .malformedDocument, .missingBlob: integrity
        case .busy: busy
        case .layout: conflict
        case .malformedURL, .unreachable, .untrusted, .notARegistry, .unauthorized, .denied, .refused, .refusedRedirect,
            .refusedUploadLocation, .refusedRealm, .malformedResponse, .unusableFile, .helper:
            failure
        }
    }
}
