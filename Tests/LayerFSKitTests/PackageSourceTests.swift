import Bytes
import Foundation
import LayerStore
import Loader
import Packages
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

struct PackageSourceTests {
    /// A usr-merged root in which the package `tool` is installed.
    static func fixture() throws -> SourceFixture {
        try SourceFixture(
            #"""
            mkdir -p usr/bin usr/lib usr/share/doc/tool usr/share/man/man1 usr/lib/tool etc/alternatives proc home
            mkdir -p var/lib/dpkg/info var/lib/dpkg/alternatives
            ln -s usr/bin bin; ln -s usr/lib lib
            printf '#!/bin/sh\n' > usr/bin/tool; printf '#!/bin/sh\n' > usr/bin/sh; chmod 755 usr/bin/*
            printf '#!/usr/bin/none\n' > usr/lib/tool/example; chmod 755 usr/lib/tool/example
            echo conf > etc/tool.conf; echo doc > usr/share/doc/tool/README; echo lib > usr/lib/libtool.so.1
            ln -s libtool.so.1 usr/lib/libtool.so; echo man > usr/share/man/man1/tool.1
            ln -s /usr/bin/tool etc/alternatives/editor; ln -s /etc/alternatives/editor usr/bin/editor
            ln -s /usr/bin/other etc/alternatives/pager; ln -s /etc/alternatives/pager usr/bin/pager
            printf 'auto\n/usr/bin/editor\n\n' > var/lib/dpkg/alternatives/editor
            printf 'auto\n/usr/bin/pager\n\n' > var/lib/dpkg/alternatives/pager
            printf 'Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n\n' > var/lib/dpkg/status
            printf '%s\n' /. /bin /bin/tool /lib /lib/libtool.so /lib/libtool.so.1 /etc /etc/tool.conf /etc/gone.conf \
                /usr /usr/lib/tool /usr/lib/tool/example /usr/share/doc/tool /usr/share/doc/tool/README \
                /usr/share/man/man1/tool.1 /proc /home > var/lib/dpkg/info/tool.list
            # A static program, which needs nothing.
            cp /sbin/ldconfig usr/bin/sh
            """#)
    }

    static func plan(_ fixture: SourceFixture, _ fill: (inout AddRequest) throws -> Void) throws -> LayerPlan {
        var request = AddRequest()
        request.allowed = [ByteString(fixture.directory)]
        try fill(&request)
        let planner = PlanLayers(root: ByteString(fixture.directory), searchPath: ["/usr/bin"])
        return try planner.run(request)[0].plan
    }

    static func paths(_ plan: LayerPlan) -> Set<String> { Set(plan.entries.map(\.path.description)) }

    @Test func aPackageIsItsFilesWithoutDocumentationAndWhatItsCommandsNeed() throws {
        let fixture = try Self.fixture()
        let plan = try Self.plan(fixture) { $0.packages = ["tool"] }
        #expect(
            Self.paths(plan) == [
                "/bin", "/lib", "/etc", "/usr", "/usr/bin/tool", "/usr/lib/libtool.so", "/usr/lib/libtool.so.1",
                "/etc/tool.conf", "/usr/lib/tool", "/usr/lib/tool/example", "/proc", "/home", "/usr/bin/editor",
                "/etc/alternatives/editor", "/usr/bin/sh",
            ])
        // The conffile that was removed, and the script that lacks its interpreter, are told.
        #expect(plan.notes.count == 2 && plan.requests.isEmpty)
        #expect(plan.edges.allSatisfy { $0.from != nil })
        let tree = try AddLayers(fixture.kit.workspace, root: ByteString(fixture.directory)).run([
            LayerRequest(name: Name("tool"), plan: plan, source: "test")
        ])[0].tree
        #expect(tree[try TreePath("/bin")]?.kind == .symlink(target: "usr/bin"))
    }

    @Test func documentationComesWhenAskedFor() throws {
        let plan = try Self.plan(Self.fixture()) {
            $0.packages = ["tool"]
            $0.takesDocumentation = true
        }
        #expect(
            Self.paths(plan).isSuperset(of: [
                "/usr/share/doc/tool", "/usr/share/doc/tool/README", "/usr/share/man/man1/tool.1",
            ]))
    }

    @Test func aProgramsPackageIsFoundByItsOwner() throws {
        let fixture = try Self.fixture()
        let plan = try Self.plan(fixture) {
            $0.programs = ["tool"]
            $0.takesRestOfPackage = true
        }
        #expect(Self.paths(plan).isSuperset(of: ["/etc/tool.conf", "/usr/bin/tool", "/usr/bin/sh"]))
        #expect(plan.requests.map(\.text) == ["tool"])
        #expect {
            try Self.plan(fixture) {
                $0.programs = ["sh"]
                $0.takesRestOfPackage = true
            }
        } throws: { if case LayerFSError.noPackage = $0 { true } else { false } }
    }

    @Test func whatIsExcludedIsNeitherTakenNorResolved() throws {
        let plan = try Self.plan(Self.fixture()) {
            $0.packages = ["tool"]
            $0.excluded = [try PathGlob("/usr/bin"), try PathGlob("/usr/lib/tool")]
        }
        #expect(!Self.paths(plan).contains("/usr/bin/tool") && !Self.paths(plan).contains("/usr/bin/sh"))
    }

    @Test func aCommandThatLacksSomethingIsAnError() throws {
        let fixture = try Self.fixture()
        try fixture.run("rm usr/bin/sh")
        #expect(throws: UnresolvedClosure.self) { try Self.plan(fixture) { $0.packages = ["tool"] } }
        #expect(throws: PackageDatabaseError.self) { try Self.plan(fixture) { $0.packages = ["tol"] } }
    }
}
