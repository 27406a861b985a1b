import ArgumentParser
import Bytes
import Cpio
import ImageTransport
import LayerFSKit
import LayerStore
import Loader
import OCI
import Packages
import Posix
import Sandbox
import Tar
import Trees

/// What a person and a script are told of an error: the message, and the exit code that --help documents.
package enum ErrorReport {
    private static let failure: Int32 = 1
    private static let notFound: Int32 = 2
    private static let unresolved: Int32 = 3
    private static let conflict: Int32 = 4
    private static let integrity: Int32 = 5
    private static let busy: Int32 = 6
    private static let usage: Int32 = 64

    /// nil for what the argument parser reports itself.
    package static func exitCode(for error: any Error) -> Int32? {
        switch error {
        case let error as LayerStoreError: code(error)
        case let error as LayerFSError: code(error)
        case let error as ProgramError: code(error)
        case let error as TransportError: code(error)
        case is UnresolvedClosure, is UnsoundRoot: unresolved
        case is DamagedStore, is DamagedImage, is TarError: integrity
        case is CompositionError: conflict
        case is NameError, is OCIError: usage
        case let error as RunFailure: code(error)
        case let error as ComparisonFailure: exitCode(for: error.cause).map { $0 == failure ? notFound : $0 }
        // As a shell reports a process that a signal ended.
        case let error as Interruption: 128 + error.signal
        case PackageDatabaseError.notInstalled, is RegistryProgram.Missing: notFound
        case is SystemError, is OpenFileLimit.TooLow, is CpioError, is PackageDatabaseError, is Console.OutputError,
            is TreePathError:
            failure
        default: nil
        }
    }

    package static func message(for error: any Error) -> String {
        switch error {
        case let error as UnresolvedClosure: UnresolvedText.lines(error.dependencies).joined(separator: "\n")
        case let error as UnsoundRoot: CheckText.unsound(error)
        case let error as RunFailure: message(for: error.cause)
        case let error as ComparisonFailure: message(for: error.cause)
        default: "\(error)"
        }
    }

    private static func code(_ error: LayerStoreError) -> Int32 {
        switch error {
        case .noStore, .noSuchName, .absentStores, .nameElsewhere: notFound
        case .nameTaken: conflict
        case .missingBlob, .blobElsewhere, .damagedBlob, .damage, .damagedRecord, .damagedFormat: integrity
        case .busy: busy
        case .system, .notAStore, .newerFormat, .readOnly, .sourceChanges, .sourceNotRegular, .newerIndex, .index,
            .networkFileSystem, .untrusted:
            failure
        }
    }

    private static func code(_ error: LayerFSError) -> Int32 {
        switch error {
        case .noSuchName, .unknownUser, .noSuchSource, .noPackage, .unusableRoot, .unknownPreset,
            .incompletePreset, .noSuchPath, .noSuchTarget, .noMember, .notMounted:
            notFound
        case .targetExists, .conflictingSources, .repeatedName, .repeatedPlatform: conflict
        case .replayDiffers: integrity
        case .emptyTarget, .unsuitableImageName, .malformedOption, .malformedSourceDateEpoch, .unsuitableName,
            .relativeStore, .noStoreLocation, .mixedPlatforms, .nameNeeded, .importNameNeeded, .notAnImage:
            usage
        case .mountBusy: busy
        case .system, .inconsistentTree, .unusableSource, .denied, .mountNotPermitted, .overlayAttribute: failure
        }
    }

    private static func code(_ error: ProgramError) -> Int32 {
        switch error {
        case .unknownName, .unreachable: notFound
        default: failure
        }
    }

    private static func code(_ error: TransportError) -> Int32 {
        switch error {
        case .invalidTarget: conflict
        case .layoutBusy: busy
        case .contentSize, .malformedDocument, .missing, .digestMismatch, .sizeMismatch, .diffIDMismatch, .layerCount,
            .gzip, .damagedStream, .expandsTooMuch, .invalidLayer, .invalidSkeleton, .mediaTypeMismatch, .tooManyLayers:
            integrity
        case .malformedLocation, .compressionLevel, .severalImages: usage
        case .noSuchImage, .noSuchPlatform, .noProgram: notFound
        case .programFailed, .noImages, .noThreads, .reservedName, .noLayers, .unsupportedMediaType, .outOfMemory,
            .compressorFault:
            failure
        }
    }

    private static func code(_ error: RunFailure) -> Int32 {
        switch error.cause {
        case let error as SandboxError: error.exitCode
        case let error as Interruption: 128 + error.signal
        default: 125
        }
    }
}
