//! What shells complete, and the manual pages: made from the definitions of the command line, and right for the programs that
//! read them.
use std::{collections::BTreeSet, fs, path::Path, process::Command};

fn claviger(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_claviger")).args(arguments).env_clear().output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn leaves(command: &clap::Command, name: &str, found: &mut BTreeSet<String>) {
    found.insert(format!("{name}.1"));
    command.get_subcommands().for_each(|c| leaves(c, &format!("{name}-{}", c.get_name()), found));
}

#[test]
fn bash_completes_commands_and_options() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("claviger.bash");
    fs::write(&script, claviger(&["completions", "bash"])).unwrap();
    for (words, offered) in [
        (&["claviger", "key", "gen"][..], &["generate"][..]),
        (&["claviger", "key", "ex"], &["export"]),
        (&["claviger", "co"], &["completions"]),
        (&["claviger", "key", "generate", "--rol"], &["--role"]),
        (&["claviger", "key", "generate", "--role", "ro"], &["root"]),
    ] {
        // As bash itself calls it when Tab is pressed.
        let completes = format!(
            "source {}; COMP_WORDS=({}); COMP_CWORD={}; _claviger claviger '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.display(),
            words.join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let output = Command::new("bash").args(["--norc", "-c", &completes]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.lines().collect::<Vec<_>>(), offered, "{words:?} {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn every_shell_gets_its_own_completions_without_a_home_or_a_terminal() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = claviger(&["completions", shell]);
        assert!(script.contains("passwd") && script.contains("passphrase-file"), "{shell}");
    }
}

#[test]
fn every_command_has_a_manual_page_that_man_reads_without_complaint() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let said = claviger(&["man", path]);
    let mut wanted = BTreeSet::new();
    leaves(&claviger::cli::definition(), "claviger", &mut wanted);
    let pages: BTreeSet<String> =
        fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(pages, wanted);
    assert!(said.starts_with(&format!("{} pages", pages.len())), "{said}");
    for page in &pages {
        let file = Path::new(path).join(page);
        let man = Command::new("man").args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]).arg(&file).output().unwrap();
        let complaints = String::from_utf8_lossy(&man.stderr).into_owned();
        assert!(man.status.success() && complaints.is_empty(), "{page}: {complaints}");
        let text = fs::read_to_string(&file).unwrap();
        let name = page.strip_suffix(".1").unwrap();
        assert!(text.contains(&format!(".TH {name} 1")), "{page}:\n{}", &text[..text.len().min(300)]);
    }
    let one = fs::read_to_string(Path::new(path).join("claviger-key-generate.1")).unwrap();
    assert!(one.contains("claviger key generate alice"), "the example is in it");
    // Nothing is written where there is no directory.
    let nowhere = dir.path().join("nowhere");
    let output = Command::new(env!("CARGO_BIN_EXE_claviger")).arg("man").arg(&nowhere).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!nowhere.exists() && String::from_utf8_lossy(&output.stderr).contains("Nothing was written."));
}
