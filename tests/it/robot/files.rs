//! Keys from files and to files, and the palette, in the real binary.
use super::Home;
use claviger::{keys, trust_dir::TrustDir};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const FIRST: &str = "first correct horse";

#[test]
fn a_key_is_loaded_listed_and_exported_by_the_names_of_the_commands() {
    for size in [(80, 24), (120, 40)] {
        let home = Home::empty();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pem/ec-p256-pkcs8.key");
        fs::copy(from, home.dir.path().join("alice.pem")).unwrap();
        fs::set_permissions(home.dir.path().join("alice.pem"), PermissionsExt::from_mode(0o600)).unwrap();
        let mut robot = home.start(&[], size);
        robot.see("ONLINE");
        robot.press(":key lo");
        robot.see("key load");
        robot.press("\r");
        robot.see("Name the file");
        // As in a shell: a home, and the rest of a name.
        robot.press("~/al\t");
        robot.see("holds one private key");
        robot.press("\x04");
        robot.see("Type a passphrase for the delegation key of the file.");
        robot.press(&format!("{FIRST}\r"));
        robot.see("Type the same passphrase");
        robot.press(&format!("{FIRST}\r"));
        robot.see("Store them");
        robot.press("\r");
        robot.see("One key was stored and read back.");
        robot.press("\r");
        robot.press(":key list\r");
        robot.see("Keys  1");
        let keys = keys::list(&TrustDir::new(home.dir.path().join(".docker/trust"))).entries;
        let id = keys[0].id.unwrap().hex();
        robot.see(&id[..12]);
        robot.press("e");
        robot.see("Name the file to write.");
        robot.press("~/alice.pem\r");
        robot.see("is there already");
        robot.press("\x15~/out.pem\r");
        robot.see("Write the file");
        robot.press("\r");
        robot.see("One key written to");
        robot.press("\r");
        robot.see("Keys  1");
        let bundle = keys::read_blocks(&home.dir.path().join("out.pem")).unwrap();
        assert_eq!(bundle.keys.len(), 1);
        assert_eq!(bundle.keys[0].claimed().unwrap().hex(), id);
        // A verb that needs a key says so where there is none to be meant; Esc closes.
        robot.press("3:key remove");
        robot.see("It works on the selected key");
        robot.press("\x1b");
        robot.see_no("Commands");
        robot.press(":q\r");
        assert_eq!(robot.end(), 0);
        robot.wait_whole();
        assert!(!robot.written().contains("correct"));
    }
}
