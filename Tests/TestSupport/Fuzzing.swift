import Foundation

/// How often a test damages a store; LAYERFS_DAMAGE_ROUNDS sets more for a long run.
public let damageRounds = ProcessInfo.processInfo.environment["LAYERFS_DAMAGE_ROUNDS"].flatMap { Int($0) } ?? 200

/// How many damaged inputs a test makes of each seed; LAYERFS_FUZZ_ROUNDS sets more for a long run.
public let fuzzRounds = ProcessInfo.processInfo.environment["LAYERFS_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 3000
