import Bytes
import Foundation
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

struct DenyListTests {
    @Test(
        arguments: [
            ("/etc/shadow", "passwords"), ("/etc/gshadow-", "passwords"), ("/etc/passwd", nil),
            ("/etc/ssh/ssh_host_rsa_key", "ssh-host-keys"), ("/etc/ssh/ssh_host_rsa_key.pub", nil),
            ("/home/me/site/index.html", "home"), ("/home", "home"), ("/homes/x", nil), ("/root/.bashrc", "home"),
            ("/srv/git/.ssh/id_rsa", "ssh-keys"), ("/proc/self/environ", "kernel"), ("/sys", "kernel"),
            ("/etc/ssl/private/site.key", "private-keys"), ("/etc/ssl/certs/x.pem", nil),
            ("/etc/letsencrypt/live/x/privkey.pem", "private-keys"), ("/var/lib/me/x", "home"), ("/var/lib/men", nil),
        ] as [(ByteString, String?)])
    func whatDoesNotBelongIntoAnImageIsDenied(_ path: ByteString, _ rule: String?) throws {
        let list = try DenyList(home: TreePath("/var/lib/me"), allowed: [])
        #expect(try list.denial(of: TreePath(path))?.rule == rule)
    }

    @Test(
        arguments: [
            ("/home/me/site", "/home/me/site/a", true), ("/home/me/site", "/home/me/other", false),
            ("/home", "/home/me/a", true), ("/", "/home/me/a", false), ("/etc", "/etc/shadow", false),
            ("/etc/shadow", "/etc/shadow", true), ("/home/me", "/home/me/.ssh/id_rsa", false),
            ("/root/.ssh", "/root/.ssh/config", true), ("/root/.ssh/config", "/root/.ssh/id_rsa", false),
        ] as [(ByteString, ByteString, Bool)])
    func whatIsNamedAsNarrowlyAsTheRuleIsLetThrough(_ allowed: ByteString, _ path: ByteString, _ passes: Bool) throws {
        let list = try DenyList(home: nil, allowed: [TreePath(allowed)])
        #expect((try list.denial(of: TreePath(path)) == nil) == passes)
    }

    @Test func aHomeWithAnyNameIsTakenByTheLetter() throws {
        let list = try DenyList(home: TreePath("/h[o]*/\\x"), allowed: [])
        #expect(try list.denial(of: TreePath("/h[o]*/\\x/f"))?.rule == "home")
        #expect(try list.denial(of: TreePath("/ho1/x/f")) == nil)
    }

    static func rules(_ error: any Error) -> [String] {
        guard case LayerFSError.denied(let denials) = error else { return [] }
        return denials.map { "\($0.path) \($0.rule)" }
    }

    @Test func neitherALinkNorADirectoryLetsADeniedFileThrough() throws {
        let fixture = try SourceFixture(
            "ln -s /etc/shadow innocent; ln -s /etc etc; ln -s /proc/self/root/etc/shadow magic")
        for source in ["innocent", "etc/shadow", "magic", "../../../../../../../../etc/shadow"] {
            #expect { try fixture.plan { $0.files = [try fixture.mapping("@/\(source):/x")] } } throws: {
                Self.rules($0) == ["/etc/shadow passwords"]
            }
        }
        #expect { try fixture.plan { $0.directories = [try fixture.mapping("@/etc:/x")] } } throws: {
            Self.rules($0).contains("/etc/shadow passwords")
        }
    }

    @Test func whatIsExcludedIsNotAskedAbout() throws {
        let fixture = try SourceFixture("mkdir -p d/.ssh; : > d/.ssh/id; : > d/f")
        #expect { try fixture.plan { $0.directories = [try fixture.mapping("@/d:/d")] } } throws: {
            Self.rules($0).count == 1
        }
        let plan = try fixture.plan {
            $0.directories = [try fixture.mapping("@/d:/d")]
            $0.excluded = [try PathGlob(".ssh")]
        }
        #expect(plan.entries.map(\.path.description) == ["/d", "/d/f"])
        let allowed = try fixture.plan {
            $0.directories = [try fixture.mapping("@/d:/d")]
            $0.allowed.append(ByteString(fixture.directory + "/d/.ssh"))
        }
        #expect(allowed.entries.count == 4)
    }

    @Test func aPrivateKeyIsKnownByItsContent() throws {
        let fixture = try SourceFixture(
            """
            printf -- '-----BEGIN CERTIFICATE-----\\nx\\n-----END CERTIFICATE-----\\n' > cert.pem
            cp cert.pem both.pem; printf -- '-----BEGIN PRIVATE KEY-----\\n' | tee -a both.pem rsa.key text > id_old
            """)
        for (name, isDenied) in [
            ("cert.pem", false), ("both.pem", true), ("rsa.key", true), ("id_old", true), ("text", false),
        ] {
            let plan = { try fixture.plan { $0.files = [try fixture.mapping("@/\(name):/x")] } }
            if isDenied {
                #expect { try plan() } throws: {
                    Self.rules($0).count == 1 && Self.rules($0)[0].hasSuffix(" private-keys")
                }
            } else {
                #expect(try plan().entries.count == 1)
            }
        }
        let path = ByteString(fixture.directory + "/rsa.key")
        let allowed = try fixture.plan {
            $0.files = [try fixture.mapping("@/rsa.key:/x")]
            $0.allowed.append(path)
        }
        #expect(allowed.entries.count == 1)
    }

    @Test func aProgramOfOnesOwnIsNoneOfItsBusiness() throws {
        let fixture = try SourceFixture("cp /bin/true mine")
        let planner = PlanLayers(searchPath: [], home: ByteString(fixture.directory))
        var request = AddRequest()
        request.programs = [ByteString(fixture.directory + "/mine")]
        #expect(try planner.run(request).map(\.name.text) == ["mine"])
    }
}
