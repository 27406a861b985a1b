import Bytes
import CSandbox
import Glibc
import Posix
import SystemPackage

/// A sandbox from its start to its end: its first process and the socket to it.
struct RunningSandbox: ~Copyable {
    private let process: pid_t
    private let control: OwnedDescriptor

    /// Starts `specification`, which has been validated.
    init(_ specification: SandboxSpecification, job: csandbox_job) throws(SandboxError) {
        let unprivileged = !csandbox_is_privileged()
        var strings = CStrings()
        var scratch: ByteString = "mode=0755"
        if let limit = specification.scratchLimit { scratch = scratch + ByteString(",size=\(limit)") }
        var command = csandbox_command(
            root: strings.add(specification.root), hostname: strings.add(specification.hostname),
            working_directory: strings.add(specification.workingDirectory.bytes),
            arguments: strings.add(specification.command), environment: strings.add(specification.environment),
            search_path: strings.add(specification.searchPath), scratch_options: strings.add(scratch),
            user_namespace: unprivileged, user_attributes: unprivileged || !Self.inInitialUserNamespace,
            uid: specification.user.uid, gid: specification.user.gid, job: job)
        var socket: Int32 = -1
        process = csandbox_start(&command, &socket)
        let errno = Errno(rawValue: Glibc.errno)
        // Now the child has a copy of them, with all of the address space.
        withExtendedLifetime(strings) {}
        control = OwnedDescriptor(adopting: socket, path: "sandbox")
        if process < 0 {
            throw unprivileged
                ? .userNamespacesUnavailable(.ofClone(errno), errno)
                : .namespacesRefused(errno)
        }
    }

    /// Waits for the command's end, passing on what comes from `signals` (see csandbox_catch_signals) meanwhile.
    func wait(
        _ specification: SandboxSpecification, job: borrowing TerminalJob, signals: Int32?
    ) throws(SandboxError) -> CommandStatus {
        var result: Result<CommandStatus, SandboxError>?
        while result == nil {
            var events = [pollfd(fd: control.rawValue, events: Int16(POLLIN), revents: 0)]
            if let signals { events.append(pollfd(fd: signals, events: Int16(POLLIN), revents: 0)) }
            if poll(&events, nfds_t(events.count), -1) < 0, Glibc.errno != EINTR {
                result = .failure(.system(call: "poll", Errno(rawValue: Glibc.errno)))
            }
            if let signals, events[1].revents != 0 { passOn(signals, job) }
            if events[0].revents != 0 { result = hear(specification, job) }
        }
        let ending = end()
        if case .failure(.killed) = result { result = .failure(.killed(signal: ending)) }
        job.restoreTerminal()
        // The loop ends only with a result.
        switch result {
        case .success(let status): return status
        case .failure(let error): throw error
        case nil: throw .killed(signal: ending)
        }
    }

    private func passOn(_ signals: Int32, _ job: borrowing TerminalJob) {
        var record: [UInt8] = [0, 0]
        while read(signals, &record, 2) == 2 {
            let number = Int32(record[0])
            guard job.passesOn(number, fromTerminal: record[1] != 0) else { continue }
            var message = csandbox_message()
            message.kind = Int32(CSANDBOX_DELIVER.rawValue)
            message.number = number
            _ = csandbox_send(control.rawValue, &message)
        }
    }

    /// One message; a result when it is the last that matters.
    private func hear(
        _ specification: SandboxSpecification, _ job: borrowing TerminalJob
    ) -> Result<CommandStatus, SandboxError>? {
        var message = csandbox_message()
        guard csandbox_receive(control.rawValue, &message) == 1 else { return .failure(.killed(signal: nil)) }
        switch csandbox_message_kind(rawValue: UInt32(truncatingIfNeeded: message.kind)) {
        case CSANDBOX_EXITED: return .success(.exited(UInt8(truncatingIfNeeded: message.number)))
        case CSANDBOX_SIGNALLED: return .success(.signalled(message.number))
        case CSANDBOX_STOPPED:
            if var answer = job.suspend(by: message.number) { _ = csandbox_send(control.rawValue, &answer) }
            return nil
        default: return .failure(SandboxError(message, specification, unprivileged: !csandbox_is_privileged()))
        }
    }

    /// Waits for the first process, and with it all others inside, to be gone.
    ///
    /// - Returns: The signal that killed it, if one did.
    private func end() -> Int32? {
        var status: Int32 = 0
        while true {
            let ended = waitpid(process, &status, 0)
            if ended == process { return status & 0x7f == 0 ? nil : status & 0x7f }
            // ECHILD: the caller ignores SIGCHLD, and the kernel has collected the process.
            if ended < 0, Glibc.errno != EINTR { return nil }
        }
    }

    /// Whether user IDs are those of the machine: the map of the initial user namespace is the identity.
    private static var inInitialUserNamespace: Bool {
        guard let map = try? Files.read("/proc/self/uid_map", limit: 4096) else { return true }
        let numbers = map.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        return numbers.map { String(decoding: $0, as: UTF8.self) } == ["0", "0", "4294967295"]
    }
}

extension SandboxError {
    /// The error that the sandbox told of.
    init(_ message: csandbox_message, _ specification: SandboxSpecification, unprivileged: Bool) {
        let errno = Errno(rawValue: message.number)
        let step = SandboxStep(csandbox_step(rawValue: UInt32(truncatingIfNeeded: message.step)))
        let subject = withUnsafeBytes(of: message.detail) { ByteString($0.prefix { $0 != 0 }) }
        if unprivileged, let obstacle = UserNamespaceObstacle.ofStep(step, errno) {
            self = .userNamespacesUnavailable(obstacle, errno)
            return
        }
        self =
            switch (step, errno) {
            case (.execute, .noSuchFileOrDirectory), (.execute, .notDirectory):
                .commandNotFound(specification.command.first ?? subject, searched: specification.searchPath)
            case (.execute, _): .notExecutable(subject, errno)
            case (.interpreter, _): .interpreterMissing(subject)
            case (_, .noFunction): .kernelTooOld(step)
            case (.overlay, _): .overlayRefused(root: specification.root, errno)
            case (.proc, .notPermitted): .procRefused(errno)
            case (.scratch, .resourceBusy): .invalid(.hostRoot(specification.root))
            default: .setup(step, subject: subject, errno)
            }
    }
}
