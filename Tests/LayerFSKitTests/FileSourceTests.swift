import Bytes
import Foundation
import Loader
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

struct FileSourceTests {
    @Test(
        arguments: [
            ("a", "a", nil, false), ("a:/b", "a", "/b", false), ("a:/b/", "a", "/b", true), ("a:b", "a:b", nil, false),
            ("x:y:/z", "x:y", "/z", false), ("a:/", "a", "/", true), ("a:/b//c/.", "a", "/b/c", false),
            ("a:/b:/c", "a:/b", "/c", false),
        ] as [(String, String, String?, Bool)])
    func aMappingEndsAtTheLastColonBeforeASlash(
        _ text: String, _ source: String, _ destination: String?, _ isInto: Bool
    ) throws {
        let mapping = try PathMapping(ByteString(text))
        #expect(mapping.source == ByteString(source))
        let expected = try destination.map { try TreePath(ByteString($0)) }
        #expect(mapping.destination == expected)
        #expect(mapping.isIntoDirectory == isInto)
    }

    @Test(arguments: ["", ":/b", "a:/../b", "a:/b/..", "a\u{0}b"])
    func whatIsNoMappingIsRefused(_ text: String) {
        #expect(throws: LayerFSError.self) { try PathMapping(ByteString(text)) }
    }

    @Test func aListHasOneMappingALineOfAnyBytes() throws {
        let list = try PathMapping.list(Array("a\n\nb:/c\n".utf8) + [0xff, 0x0a] + Array("last".utf8))
        #expect(list.map(\.source) == ["a", "b", ByteString([0xff]), "last"])
        #expect(throws: LayerFSError.self) { try PathMapping.list(Array("a\nb:/../c".utf8)) }
    }

    @Test func aFileGoesWhereItIsTold() throws {
        let fixture = try SourceFixture("echo 1 > one; ln -s one link; chmod 640 one")
        let tree = try fixture.tree {
            $0.files = try [
                fixture.mapping("@/link:/etc/renamed"), fixture.mapping("@/link:/srv/"),
                fixture.mapping("@/one:/lib/x"),
            ]
        }
        let paths = SourceFixture.paths(tree)
        #expect(
            paths.filter { !["/lib", "/usr", "/usr/lib"].contains($0) }
                == ["/etc", "/etc/renamed", "/srv", "/srv/link", paths.last ?? ""])
        // On a machine with a merged /usr, /lib is its link.
        #expect(paths.last?.hasSuffix("/lib/x") == true)
        guard case .file(_, 2)? = tree[try TreePath("/srv/link")]?.kind else {
            Issue.record("the link was not followed")
            return
        }
        #expect(tree[try TreePath("/etc/renamed")]?.metadata.mode == 0o640)
    }

    @Test func withoutADestinationTheWayToTheFileComesAlong() throws {
        let fixture = try SourceFixture(
            "mkdir -p real/deep; echo 1 > real/deep/f; ln -s real alias; ln -s ../deep/f real/deep/g")
        let tree = try fixture.tree { $0.files = [try fixture.mapping("@/alias/deep/g")] }
        let base = try TreePath(ByteString(URL(fileURLWithPath: fixture.directory).resolvingSymlinksInPath().path))
        for (name, isLink) in [("alias", true), ("real/deep/f", false), ("real/deep/g", true)] {
            let path = try TreePath(base.bytes + "/" + ByteString(name))
            let kind = tree[path]?.kind
            if case .symlink? = kind { #expect(isLink, "\(name)") } else { #expect(!isLink && kind != nil, "\(name)") }
        }
    }

    @Test func namesAreBytes() throws {
        let fixture = try SourceFixture(#"mkdir d; echo 1 > "d/$(printf 'caf\351')"; ln -s "$(printf '\377')" d/l"#)
        let tree = try fixture.tree { $0.directories = [try fixture.mapping("@/d:/d")] }
        let name = ByteString("caf" as String) + ByteString([0xe9])
        #expect(tree[try TreePath("/d").appending(name)]?.size == 2)
        #expect(tree[try TreePath("/d/l")]?.kind == .symlink(target: ByteString([0xff])))
        let list = try PathMapping.list(Array("\(fixture.directory)/d/caf".utf8) + [0xe9] + Array(":/etc/".utf8))
        #expect(try fixture.tree { $0.files = list }[TreePath("/etc").appending(name)] != nil)
    }

    @Test func whatIsNotThereOrNoFileIsNamed() throws {
        let fixture = try SourceFixture("mkdir d; mkfifo fifo; ln -s nowhere dangling; ln -s loop loop; : > f")
        for (text, isMissing) in [
            ("@/none:/x", true), ("@/dangling:/x", true), ("@/dangling", true), ("@/f/below:/x", true),
            ("@/loop:/x", false), ("@/d:/x", false), ("@/fifo:/x", false),
        ] {
            #expect { try fixture.plan { $0.files = [try fixture.mapping(text)] } } throws: { error in
                switch error {
                case LayerFSError.noSuchSource: isMissing
                case LayerFSError.unusableSource: !isMissing
                default: false
                }
            }
        }
        #expect { try fixture.plan { $0.directories = [try fixture.mapping("@/f:/x")] } } throws: {
            if case LayerFSError.unusableSource = $0 { true } else { false }
        }
    }

    @Test(.enabled(if: !isRoot, "root can read every file"))
    func whatCannotBeReadIsAnError() throws {
        let fixture = try SourceFixture("mkdir d; echo 1 > d/f; chmod 0 d/f")
        #expect(throws: (any Error).self) { try fixture.tree { $0.directories = [try fixture.mapping("@/d:/d")] } }
    }

    @Test func aDirectoryIsTakenAsItIs() throws {
        let fixture = try SourceFixture(
            "mkdir -p d/empty d/sub; echo 1 > d/sub/f; ln d/sub/f d/hard; ln -s /nowhere d/dangling; mkfifo d/pipe; chmod 1770 d/empty"
        )
        let tree = try fixture.tree { $0.directories = [try fixture.mapping("@/d:/srv/site")] }
        #expect(
            SourceFixture.paths(tree) == [
                "/srv", "/srv/site", "/srv/site/dangling", "/srv/site/empty", "/srv/site/hard", "/srv/site/pipe",
                "/srv/site/sub", "/srv/site/sub/f",
            ])
        #expect(tree[try TreePath("/srv/site/dangling")]?.kind == .symlink(target: "/nowhere"))
        #expect(tree[try TreePath("/srv/site/empty")]?.metadata.mode == 0o1770)
        #expect(tree[try TreePath("/srv/site/hard")]?.kind == tree[try TreePath("/srv/site/sub/f")]?.kind)
        let root = try fixture.tree { $0.directories = [try fixture.mapping("@/d:/")] }
        #expect(root.entries[0].metadata.mode == 0o755)
        #expect(SourceFixture.paths(root).contains("/sub/f"))
    }

    @Test func socketsAndDevicesAreLeftOutAndSaid() throws {
        let fixture = try SourceFixture("mkdir d; echo 1 > d/f")
        let address = fixture.directory + "/d/socket"
        _ = try Tool.run("python3", ["-c", "import socket; socket.socket(socket.AF_UNIX).bind('\(address)')"])
        let plan = try fixture.plan { $0.directories = [try fixture.mapping("@/d:/d")] }
        #expect(plan.warnings.count == 1 && plan.warnings.first?.contains("socket") == true)
        #expect(plan.entries.count == 2)
    }

    @Test func excludedDirectoriesAreNotWalkedAndParentsOfWhatStaysAre() throws {
        let fixture = try SourceFixture(
            "mkdir -p d/cache/x d/keep; echo 1 > d/cache/x/f; echo 2 > d/keep/f.pyc; echo 3 > d/keep/g")
        let tree = try fixture.tree {
            $0.directories = [try fixture.mapping("@/d:/d")]
            $0.excluded = [try PathGlob("/d/cache"), try PathGlob("*.pyc")]
        }
        #expect(SourceFixture.paths(tree) == ["/d", "/d/keep", "/d/keep/g"])
        // What programs need is never excluded, nor the directories it lies in.
        let shell = try fixture.tree {
            $0.programs = ["sh"]
            $0.excluded = [try PathGlob("/usr"), try PathGlob("*.so*")]
        }
        #expect(SourceFixture.paths(shell).contains { $0.contains("libc.so") })
    }

    @Test func ownersAndModesAreMetadataOnly() throws {
        let fixture = try SourceFixture("mkdir -p d/sub; echo content > d/sub/f; ln -s f d/l; chmod 600 d/sub/f")
        let first = try fixture.addition { $0.directories = [try fixture.mapping("@/d:/d")] }
        let second = try fixture.addition {
            $0.directories = [try fixture.mapping("@/d:/d")]
            $0.owner = (1000, 2000)
            $0.mode = 0o644
        }
        #expect(first.cost.newContents == 1 && second.cost.newContents == 0)
        for (path, mode) in [("/d", 0o755), ("/d/sub", 0o755), ("/d/sub/f", 0o644), ("/d/l", 0o777)]
            as [(ByteString, UInt16)]
        {
            let metadata = try #require(try second.tree[TreePath(path)]?.metadata)
            #expect(metadata.mode == mode && metadata.uid == 1000 && metadata.gid == 2000, "\(path)")
        }
    }

    @Test func twoSourcesOfOnePathAreAConflictThatNamesBoth() throws {
        let fixture = try SourceFixture("mkdir d; echo 1 > d/f; echo 2 > g")
        #expect {
            try fixture.tree {
                $0.files = [try fixture.mapping("@/g:/d/f")]
                $0.directories = [try fixture.mapping("@/d:/d")]
            }
        } throws: { error in
            guard case LayerFSError.conflictingSources(let found) = error else { return false }
            return found.map(\.path.description) == ["/d/f"] && found[0].first.hasPrefix("file ")
                && found[0].second.hasPrefix("directory ")
        }
    }

    @Test func aLayerOfFilesNeedsAName() throws {
        let fixture = try SourceFixture(": > f")
        for programs in [[], ["sh", "cat"]] as [[ByteString]] {
            #expect {
                try fixture.plan {
                    $0.name = nil
                    $0.programs = programs
                    $0.files = [try fixture.mapping("@/f:/f")]
                }
            } throws: { if case LayerFSError.nameNeeded = $0 { true } else { false } }
        }
        let layers = try PlanLayers(searchPath: ["/usr/bin"]).run(
            fixture.request {
                $0.name = nil
                $0.programs = ["sh"]
                $0.files = [try fixture.mapping("@/f:/f")]
            })
        #expect(layers.map(\.name.text) == ["sh"])
    }

    @Test func aThousandDirectoriesDeepAndWideNeedsOneDescriptorAtATime() throws {
        let fixture = try SourceFixture(
            "mkdir -p w; i=0; while [ $i -lt 1500 ]; do mkdir w/$i; i=$((i+1)); done; p=w/deep; i=0; while [ $i -lt 1200 ]; do p=$p/d; i=$((i+1)); done; mkdir -p $p; : > $p/f"
        )
        let plan = try fixture.plan { $0.directories = [try fixture.mapping("@/w:/w")] }
        #expect(plan.entries.count == 1500 + 1200 + 3)
    }
}

struct OwnershipOptionTests {
    @Test(arguments: [("0:0", 0, 0), ("1000:50", 1000, 50)] as [(String, UInt32, UInt32)])
    func ownersAreTwoNumbers(_ text: String, _ uid: UInt32, _ gid: UInt32) throws {
        let owner = try OwnershipOption.owner(text)
        #expect(owner.uid == uid && owner.gid == gid)
    }

    @Test(arguments: [("644", 0o644), ("0755", 0o755), ("4711", 0o4711), ("0", 0)] as [(String, UInt16)])
    func permissionsAreOctal(_ text: String, _ mode: UInt16) throws {
        #expect(try OwnershipOption.mode(text) == mode)
    }

    @Test func anythingElseIsRefused() {
        for text in ["", "1", "root:root", "1:", ":1", "1:2:3", "-1:0", "4294967295:0", "+1:0"] {
            #expect(throws: LayerFSError.self) { try OwnershipOption.owner(text) }
        }
        for text in ["", "8", "u+x", "77777", "10000", "-1", "0o7", "000644"] {
            #expect(throws: LayerFSError.self) { try OwnershipOption.mode(text) }
        }
    }
}
