//! PKCS#12, and keys in bare DER, are not read: each is recognised by what is in it and refused with a line for a shell. That
//! very line is run, and what it makes is loaded, and used by the old tools.

use super::desk::{Desk, OTHER_PASSPHRASE};
use super::generated_keys::change_passphrase;
use super::pki::openssl;
use super::program::{Answer, docker, program, run};
use super::server::{Kind, NotaryServer};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What protects a file that is to be converted.
const OF_FILES: &str = "of-the-file";

fn desk(name: &str) -> Desk {
    Desk::new(NotaryServer::shared(Kind::Local), name)
}

/// `claviger key load FILE --name alice` in the desk's folder, on its own trust directory.
fn load(desk: &Desk, file: &OsStr, passphrase: &str) -> Answer {
    let passphrases = desk.write("passphrases", &format!("{passphrase}\n"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    command.args(["key", "load", "--name", "alice", "--passphrase-file", &passphrases, "-d"]).arg(desk.trust_dir());
    command.arg("--").arg(file).env_clear().envs(desk.environment()).current_dir(desk.path()).stdin(Stdio::null());
    let output = command.output().expect("claviger starts");
    Answer {
        line: format!("key load {file:?}"),
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8, whatever the file is called"),
    }
}

fn ids(desk: &Desk) -> Vec<String> {
    let files = std::fs::read_dir(desk.trust_dir().join("private")).into_iter().flatten().flatten();
    files.map(|f| f.file_name().to_str().expect("UTF-8").strip_suffix(".key").expect("a key").to_owned()).collect()
}

/// A file that only its owner can read.
fn put(desk: &Desk, name: &OsStr, bytes: &[u8]) {
    let path = Path::new(desk.path()).join(name);
    std::fs::write(&path, bytes).expect("a file");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("a mode");
}

/// The line between the first two grave accents of a remedy, with the passphrases that it would ask for.
fn the_line(answer: &Answer, protected: bool) -> String {
    let line = answer.stderr.split('`').nth(1).unwrap_or_else(|| panic!("no line in {answer:?}"));
    let (before, after) = line.split_once(" -out ").expect("an output");
    let passin = if protected { format!(" -passin pass:{OF_FILES}") } else { String::new() };
    format!("{before}{passin} -passout pass:{DIFFERENT} -out {after}")
}

const DIFFERENT: &str = "what-openssl-was-told";

/// Files as `openssl` writes them, by what they are called: bytes, and whether a passphrase protects them.
fn files(desk: &Desk, kind: &str) -> Vec<(OsString, Vec<u8>, bool)> {
    let folder = PathBuf::from(desk.path());
    openssl(&folder, &format!("genpkey {kind} -out plain.pem"));
    openssl(&folder, "req -x509 -key plain.pem -subj /CN=alice -days 30 -out cert.pem");
    let export = format!("pkcs12 -export -inkey plain.pem -in cert.pem -passout pass:{OF_FILES}");
    openssl(&folder, &format!("{export} -out modern"));
    openssl(&folder, &format!("{export} -legacy -out legacy"));
    openssl(&folder, &format!("{export} -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1 -out middle"));
    openssl(&folder, "pkcs8 -topk8 -nocrypt -in plain.pem -outform DER -out pkcs8");
    openssl(&folder, &format!("pkcs8 -topk8 -passout pass:{OF_FILES} -in plain.pem -outform DER -out encrypted"));
    openssl(&folder, "pkey -traditional -in plain.pem -outform DER -out traditional");
    let read = |name: &str| std::fs::read(folder.join(name)).expect("what openssl wrote");
    let modern = read("modern");
    // As other programs write it: with a length that is left open.
    let open_ended = [&[0x30, 0x80], &modern[4..], &[0, 0]].concat();
    let in_pem = pem::encode(&pem::Pem::new("PKCS12", modern.clone()));
    let name = |text: &str| OsString::from(text);
    vec![
        (name("alice.p12"), modern, true),
        (name("it's old.pfx"), read("legacy"), true),
        (OsString::from_vec(b"caf\xe9 $(x).p12".to_vec()), read("middle"), true),
        (name("-dashed.p12"), open_ended, true),
        (name("armoured.pem"), in_pem.into_bytes(), true),
        (name("key.der"), read("pkcs8"), false),
        (name("encrypted.der"), read("encrypted"), true),
        (name("no extension"), read("traditional"), false),
    ]
}

/// What the old tools make of it: whether they say that it was taken, and whether it was.
fn old_tools(file: &Path) -> [&'static str; 2] {
    let desk = desk("old-tools");
    // Under a name that they can print: docker prints it as it is, whatever a terminal makes of that.
    std::fs::copy(file, desk.file("foreign")).expect("a copy");
    let file = desk.folder_file("foreign");
    let file = OsStr::new(&file);
    let mut import = desk.notary_arguments();
    import.extend(["key".into(), "import".into(), file.to_owned(), "--role".into(), "delegation".into()]);
    let load = [OsStr::new("trust"), "key".as_ref(), "load".as_ref(), "--name".as_ref(), "alice".as_ref(), file];
    let answers = [run(&program("notary"), &import, &desk.environment(), ""), run(&docker(), &load, &desk.environment(), "")];
    assert_eq!(ids(&desk), [""; 0]);
    answers.map(|answer| if answer.status == 0 { "SAYS YES, STORES NOTHING" } else { "refused" })
}

#[test]
fn pkcs12_and_bare_der_are_refused_with_the_line_that_makes_them_usable_by_everybody() {
    let mut table = String::new();
    for kind in ["-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"] {
        let maker = desk("pkcs12-maker");
        let all = files(&maker, kind);
        assert_eq!(all.len(), 8);
        load(&maker, "plain.pem".as_ref(), OTHER_PASSPHRASE).ok();
        let id = ids(&maker).remove(0);
        for (name, bytes, protected) in all {
            let desk = desk("pkcs12");
            put(&desk, &name, &bytes);
            let refused = load(&desk, &name, OTHER_PASSPHRASE).refused();
            assert!(refused.stderr.contains("No key was stored"), "{refused:?}");
            assert!(refused.stderr.lines().count() >= 3 && refused.stdout.is_empty(), "{refused:?}");
            assert_eq!(ids(&desk), [""; 0], "{name:?}");
            assert!(!desk.trust_dir().exists(), "{name:?}: a refusal makes nothing");

            let line = the_line(&refused, protected);
            let shell = Command::new("sh").arg("-c").arg(format!("umask 022; {line}")).current_dir(desk.path()).output();
            let shell = shell.expect("a shell");
            assert!(shell.status.success(), "{line}: {}", String::from_utf8_lossy(&shell.stderr));
            let made = desk.file("key.pem");
            assert_eq!(made.metadata().expect("what the line made").permissions().mode() & 0o777, 0o600, "{line}");
            assert!(std::fs::read_to_string(&made).expect("PEM").contains("ENCRYPTED PRIVATE KEY"), "{line}");
            // `openssl` overwrites without asking, so the line never names what is there.
            assert!(load(&desk, &name, OTHER_PASSPHRASE).refused().stderr.contains("key-2.pem"), "{name:?}");

            load(&desk, "key.pem".as_ref(), DIFFERENT).ok();
            assert_eq!(ids(&desk), std::slice::from_ref(&id), "{name:?}: it is the same key");
            assert!(desk.notary(&["key", "list"]).ok().stdout.contains(&id), "{name:?}");
            change_passphrase(&desk, &id, DIFFERENT, OTHER_PASSPHRASE);
            let passphrases = desk.write("passphrases", &format!("{OTHER_PASSPHRASE}\n"));
            desk.claviger(&["key", "test", &id, "--passphrase-file", &passphrases]).ok();

            let [notary, docker] = old_tools(&Path::new(desk.path()).join(&name));
            let shown = String::from_utf8_lossy(name.as_bytes()).into_owned();
            table.push_str(&format!("{shown:<20} refused, converted, loaded, used   notary: {notary:<25} docker: {docker}\n"));
        }
    }
    println!("{table}");
    assert!(table.contains("notary: SAYS YES, STORES NOTHING"), "the old tool does better than it did:\n{table}");
}

#[test]
fn a_pkcs12_file_that_others_can_read_is_first_of_all_that_and_beside_a_key_it_is_not_left_aside() {
    let desk = desk("pkcs12-open");
    let (name, bytes, _) = files(&desk, "-algorithm EC -pkeyopt ec_paramgen_curve:P-256").remove(0);
    put(&desk, &name, &bytes);
    std::fs::set_permissions(Path::new(desk.path()).join(&name), PermissionsExt::from_mode(0o640)).expect("a mode");
    let refused = load(&desk, &name, OTHER_PASSPHRASE).refused();
    assert!(refused.stderr.contains("`chmod 600 alice.p12`"), "{refused:?}");
    let both = std::fs::read_to_string(desk.file("plain.pem")).expect("PEM") + &pem::encode(&pem::Pem::new("PKCS12", bytes));
    put(&desk, "both.pem".as_ref(), both.as_bytes());
    let refused = load(&desk, "both.pem".as_ref(), OTHER_PASSPHRASE).refused();
    assert!(refused.stderr.contains("PKCS#12"), "{refused:?}");
    assert_eq!(ids(&desk), [""; 0]);
}
