use super::*;

fn env(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), OsString::from(v))).collect()
}

/// Resolves over files that exist only here.
fn resolve(flags: &Flags, variables: &[(&str, &str)], files: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let read = |path: &Path| Ok(files.iter().find(|(p, _)| Path::new(p) == path).map(|(_, text)| text.as_bytes().to_vec()));
    Settings::resolve(flags, &env(variables), &read)
}

fn flags(change: impl FnOnce(&mut Flags)) -> Flags {
    let mut f = Flags::default();
    change(&mut f);
    f
}

const HOME: (&str, &str) = ("HOME", "/home/u");
const OURS: &str = "/home/u/.config/claviger/config.toml";
const NOTARYS: &str = "/home/u/.notary/config.json";
const JSON: &str = r#"{"trust_dir":"~/.docker/trust","remote_server":{"url":"https://n.example:4443","root_ca":"ca.crt",
    "tls_client_cert":"/abs/c.crt","tls_client_key":"k.key"},"logging":{"level":"debug"},
    "trust_pinning":{"certs":{"docker.io/Lib/*":["ab"]},"ca":{"example.com":"pins/x.pem"},"disable_tofu":true}}"#;

fn file(path: &str, key: &'static str) -> Origin {
    Origin::File { path: path.into(), key }
}

#[test]
fn the_trust_directory_is_where_docker_has_it_unless_somebody_says_otherwise() {
    let named = flags(|f| f.trust_dir = Some("~/t".into()));
    let docker = ("DOCKER_CONFIG", "/d");
    let toml = (OURS, "trust_dir = 'sub/t'");
    for (flags, vars, files, path, origin) in [
        (&Flags::default(), &[HOME][..], &[][..], "/home/u/.docker/trust", Origin::Default),
        (&Flags::default(), &[HOME, docker], &[], "/d/trust", Origin::Variable("DOCKER_CONFIG")),
        (&Flags::default(), &[HOME, ("DOCKER_CONFIG", "")], &[], "/home/u/.docker/trust", Origin::Default),
        (&Flags::default(), &[HOME, docker], &[toml], "/home/u/.config/claviger/sub/t", file(OURS, "trust_dir")),
        (&Flags::default(), &[HOME], &[(NOTARYS, JSON)], "/home/u/.docker/trust", file(NOTARYS, "trust_dir")),
        (&named, &[HOME, docker], &[toml], "/home/u/t", Origin::Flag("--trust-dir")),
    ] {
        let s = resolve(flags, vars, files).unwrap();
        assert_eq!(s.trust_dir, Sourced::new(path.into(), origin));
    }
}

#[test]
fn the_server_comes_from_flag_variable_file_or_registry_in_this_order() {
    let named = flags(|f| f.server = Some("https://flag".into()));
    let variable = ("DOCKER_CONTENT_TRUST_SERVER", "https://variable");
    let toml = (OURS, "server = 'https://file'");
    for (flags, vars, files, gun, url) in [
        (&named, &[HOME, variable][..], &[toml][..], "docker.io/library/alpine", "https://flag"),
        (&Flags::default(), &[HOME, variable], &[toml], "docker.io/library/alpine", "https://variable"),
        (&Flags::default(), &[HOME], &[toml], "docker.io/library/alpine", "https://file"),
        (&Flags::default(), &[HOME], &[], "docker.io/library/alpine", "https://notary.docker.io"),
        (&Flags::default(), &[HOME], &[], "localhost:5000/a", "https://localhost:5000"),
        (&Flags::default(), &[HOME], &[], "localhost/a", "https://localhost"),
        (&Flags::default(), &[HOME], &[], "quay.example/a/b", "https://quay.example"),
    ] {
        assert_eq!(resolve(flags, vars, files).unwrap().server_for(gun).unwrap().value, url);
    }
    for gun in ["alpine", "library/alpine", "\u{1b}[2J"] {
        let e = resolve(&Flags::default(), &[HOME], &[]).unwrap().server_for(gun).unwrap_err();
        assert!(matches!(e, SettingsError::NoServer(_)) && !e.to_string().contains('\u{1b}'));
    }
}

#[test]
fn one_configuration_is_in_force_and_never_merged() {
    let both = [(OURS, "server = 'https://ours'"), (NOTARYS, JSON)];
    let s = resolve(&Flags::default(), &[HOME], &both).unwrap();
    assert_eq!(s.config.unwrap().value, Path::new(OURS));
    assert_eq!(s.server.unwrap().value, "https://ours");
    assert_eq!((s.network.ca, s.trust_pinning.value), (None, TrustPinning::default()));
    let s = resolve(&Flags::default(), &[HOME, ("XDG_CONFIG_HOME", "/x")], &both).unwrap();
    assert_eq!(s.config.unwrap().value, Path::new(NOTARYS));
    let s =
        resolve(&flags(|f| f.config = Some("/other.json".into())), &[HOME], &[both[0], both[1], ("/other.json", "{}")]).unwrap();
    assert_eq!((s.config.unwrap().origin, s.server), (Origin::Flag("--config"), None));
    let missing = resolve(&flags(|f| f.config = Some("/none".into())), &[HOME], &both);
    assert!(matches!(missing, Err(SettingsError::NoConfig(_))));
}

#[test]
fn notarys_configuration_is_understood() {
    let s = resolve(&Flags::default(), &[HOME], &[(NOTARYS, JSON)]).unwrap();
    assert_eq!(s.server.unwrap(), Sourced::new("https://n.example:4443".into(), file(NOTARYS, "remote_server.url")));
    assert_eq!(s.network.ca.unwrap().value, Path::new("/home/u/.notary/ca.crt"));
    let pair = s.network.client.unwrap().value;
    assert_eq!((pair.cert, pair.key), ("/abs/c.crt".into(), "/home/u/.notary/k.key".into()));
    assert_eq!(s.network.checks_off, None);
    let pins = s.trust_pinning.value;
    assert_eq!(pins.certs.get("docker.io/Lib/*").unwrap(), &["ab"], "upper-case letters in a GUN stay");
    assert_eq!(pins.ca.get("example.com").unwrap(), Path::new("/home/u/.notary/pins/x.pem"));
    assert!(pins.disable_tofu);
}

#[test]
fn a_setting_that_switches_tls_checks_off_is_remembered_as_a_refusal() {
    for (value, off) in
        [("true", true), ("\"true\"", true), ("1", true), ("\"yes\"", true), ("false", false), ("\"\"", false), ("null", false)]
    {
        let json = format!(r#"{{"remote_server":{{"skipTLSVerify":{value}}}}}"#);
        let s = resolve(&Flags::default(), &[HOME], &[(NOTARYS, &json)]).unwrap();
        assert_eq!(s.network.checks_off.is_some(), off, "{value}");
    }
}

#[test]
fn every_key_of_our_file_is_read() {
    let toml = r#"
        trust_dir = "~/trust"
        state_dir = "/s"
        server = "https://n.example"
        plain_http = ["lab:80"]
        read_only = true
        [tls]
        ca = "ca.pem"
        cert = "c.pem"
        key = "k.pem"
        [network]
        connect_timeout = 1
        idle_timeout = 2.5
        request_timeout = 3
        retries = 0
        back_off = 0.5
        longest_pause = 4
        parallel = 64
        proxy = "none"
        [trust_pinning]
        disable_tofu = true
        [trust_pinning.certs]
        "a.b/C" = ["id"]
        [trust_pinning.ca]
        "a.b/" = "ca/x.pem"
        [screen]
        color = false
        ascii = true
    "#;
    let s =
        resolve(&flags(|f| f.config = Some("/etc/c.toml".into())), &[HOME, ("NO_COLOR", "")], &[("/etc/c.toml", toml)]).unwrap();
    let n = &s.network;
    assert_eq!(s.trust_dir.value, Path::new("/home/u/trust"));
    assert_eq!(s.state_dir.unwrap().value, Path::new("/s"));
    assert_eq!(n.ca.as_ref().unwrap().value, Path::new("/etc/ca.pem"));
    assert_eq!(n.client.as_ref().unwrap().origin, file("/etc/c.toml", "tls.cert"));
    assert_eq!([n.connect.value, n.idle.value, n.whole.value].map(|d| d.as_millis()), [1000, 2500, 3000]);
    assert_eq!((n.back_off.value.as_millis(), n.longest_pause.value.as_secs()), (500, 4));
    assert_eq!((n.retries.value, n.parallel.value, n.proxy.value), (0, 64, false));
    assert_eq!(n.plain_http.value, ["lab:80"]);
    assert_eq!((s.read_only.value, s.color.value, s.ascii.value), (true, false, true));
    assert_eq!(s.trust_pinning.value.ca.get("a.b/").unwrap(), Path::new("/etc/ca/x.pem"));
}

#[test]
fn a_misspelt_key_is_an_error_that_names_it() {
    for (toml, named) in
        [("\nservr = 'x'", "servr"), ("[tls]\nroot_ca = 'x'", "root_ca"), ("[network]\nproxy = 'maybe'", "maybe")]
    {
        let text = resolve(&Flags::default(), &[HOME], &[(OURS, toml)]).unwrap_err().to_string();
        assert!(text.contains(named) && text.contains("line 2") && text.contains(OURS), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }
}

#[test]
fn values_that_cannot_be_meant_are_refused_by_name() {
    for (toml, key) in [
        ("[network]\nretries = 11", "network.retries"),
        ("[network]\nparallel = 0", "network.parallel"),
        ("[network]\nparallel = 65", "network.parallel"),
        ("[network]\nidle_timeout = 0", "network.idle_timeout"),
        ("[network]\nidle_timeout = nan", "network.idle_timeout"),
        ("[network]\nrequest_timeout = 86401", "network.request_timeout"),
        ("[tls]\ncert = 'x'", "tls.cert"),
    ] {
        let text = resolve(&Flags::default(), &[HOME], &[(OURS, toml)]).unwrap_err().to_string();
        assert!(text.starts_with(&format!("{key} in {OURS}: ")), "{text}");
    }
    let largest = "[network]\nretries = 10\nparallel = 1\nidle_timeout = 86400";
    assert!(resolve(&Flags::default(), &[HOME], &[(OURS, largest)]).is_ok());
    let alone = flags(|f| f.tlskey = Some("k".into()));
    assert!(matches!(resolve(&alone, &[HOME], &[]), Err(SettingsError::Value { origin: Origin::Flag("--tlskey"), .. })));
}

#[test]
fn a_configuration_that_is_too_long_is_not_understood() {
    let long = |n: usize| format!("#{}", "x".repeat(n - 1));
    let limit = usize::try_from(file::CONFIG_FILE).unwrap();
    assert!(resolve(&Flags::default(), &[HOME], &[(OURS, &long(limit))]).is_ok());
    assert!(matches!(resolve(&Flags::default(), &[HOME], &[(OURS, &long(limit + 1))]), Err(SettingsError::Config { .. })));
}

#[test]
fn a_configuration_that_cannot_be_read_is_not_passed_over() {
    let read = |_: &Path| Err(io::Error::from(io::ErrorKind::PermissionDenied));
    assert!(matches!(Settings::resolve(&Flags::default(), &env(&[HOME]), &read), Err(SettingsError::Unreadable { .. })));
}

#[test]
fn state_has_its_place() {
    for (vars, path) in [
        (&[HOME][..], "/home/u/.local/state/claviger"),
        (&[HOME, ("XDG_STATE_HOME", "/x")], "/x/claviger"),
        (&[HOME, ("XDG_STATE_HOME", "relative")], "/home/u/.local/state/claviger"),
    ] {
        assert_eq!(resolve(&Flags::default(), vars, &[]).unwrap().state_dir.unwrap().value, Path::new(path));
    }
}

#[test]
fn without_a_home_only_what_needs_one_is_missing() {
    for empty in [&[][..], &[("HOME", "")]] {
        let error = resolve(&Flags::default(), empty, &[]).unwrap_err();
        assert!(matches!(error, SettingsError::NoHome("the trust directory")));
        // An option that the program does not have is no remedy.
        assert_eq!(error.remedy(), "Set HOME, or name the directory with --trust-dir.");
        let s = resolve(&flags(|f| f.trust_dir = Some("/t".into())), empty, &[]).unwrap();
        assert_eq!((s.trust_dir.value.as_path(), s.docker_dir, s.state_dir), (Path::new("/t"), None, None));
    }
    let s = resolve(&Flags::default(), &[("DOCKER_CONFIG", "/d")], &[]).unwrap();
    assert_eq!(s.trust_dir.value, Path::new("/d/trust"));
}

#[test]
fn colours_and_line_drawing_follow_the_terminal() {
    for (vars, color, ascii) in [
        (&[HOME, ("LANG", "en_GB.UTF-8")][..], true, false),
        (&[HOME, ("LANG", "en_GB.UTF-8"), ("NO_COLOR", "1")], false, false),
        (&[HOME, ("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")], true, true),
        (&[HOME, ("LANG", "C.utf8"), ("TERM", "linux")], true, true),
        (&[HOME, ("LANG", "C.utf8"), ("TERM", "dumb")], false, true),
        (&[HOME], true, true),
    ] {
        let s = resolve(&Flags::default(), vars, &[]).unwrap();
        assert_eq!((s.color.value, s.ascii.value), (color, ascii), "{vars:?}");
    }
}

/// The names of settings in the source of the reader, each with its table: fields of the structs that TOML is read into.
fn names_in_the_code() -> Vec<String> {
    let source = include_str!("file.rs");
    let fields = |name: &str| -> Vec<(String, String)> {
        let body = source.split_once(&format!("struct {name} {{\n")).unwrap().1.split_once("\n}").unwrap().0;
        let field = |l: &str| l.trim().trim_end_matches(',').split_once(": ").map(|(n, t)| (n.to_owned(), t.to_owned()));
        body.lines().filter_map(field).collect()
    };
    let mut names = Vec::new();
    for (name, kind) in fields("Ours") {
        let kind = kind.trim_start_matches("Option<").trim_end_matches('>');
        if source.contains(&format!("struct {kind} {{\n")) {
            names.extend(fields(kind).into_iter().map(|(inner, _)| format!("{name}.{inner}")));
        } else {
            names.push(name);
        }
    }
    names
}

#[test]
fn the_document_names_every_setting_and_none_that_does_not_exist() {
    let document = include_str!("../../docs/configuration.md");
    let rows = document.lines().filter_map(|l| l.strip_prefix("| `")?.split_once("` |").map(|(name, _)| name));
    let documented: Vec<&str> = rows.take_while(|name| !name.contains('=')).filter(|n| !n.starts_with("--")).collect();
    let mut names = names_in_the_code();
    assert!(names.len() > 15 && names.contains(&"network.idle_timeout".to_owned()), "{names:?}");
    names.sort();
    let mut sorted = documented.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, names);
    // Every name is also accepted by the reader.
    for name in documented {
        let (table, key) = name.split_once('.').map_or(("", name), |(t, k)| (t, k));
        let wrong = if table.is_empty() { format!("{key} = [[1]]") } else { format!("[{table}]\n{key} = [[1]]") };
        let error = resolve(&Flags::default(), &[HOME], &[(OURS, &wrong)]).unwrap_err().to_string();
        assert!(!error.contains("unknown field"), "{error}");
    }
    // And every word of notary's JSON.
    for word in ["remote_server.url", "root_ca", "tls_client_cert", "tls_client_key", "skipTLSVerify"] {
        assert!(document.contains(word), "{word}");
    }
}

#[test]
fn the_document_names_every_variable_and_option() {
    let document = include_str!("../../docs/configuration.md");
    let variables =
        ["HOME", "DOCKER_CONFIG", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "DOCKER_CONTENT_TRUST_SERVER", "NO_COLOR", "TERM"];
    for word in variables.into_iter().chain(["LC_ALL", "LC_CTYPE", "LANG", "TMPDIR", "HTTPS_PROXY", "NO_PROXY"]) {
        assert!(document.contains(&format!("`{word}`")) || document.contains(&format!("${word}")), "{word}");
    }
    let options = include_str!("../cli/args.rs").split_once("pub struct Options {").unwrap().1.split_once("\n}").unwrap().0;
    let options: Vec<String> = options
        .lines()
        .filter_map(|l| l.trim().strip_prefix("pub ")?.split_once(':').map(|(n, _)| n.replace('_', "-")))
        .collect();
    assert!(options.len() > 8, "{options:?}");
    for option in options {
        assert!(document.contains(&format!("--{option}")), "--{option}");
    }
}

#[test]
fn the_lock_comes_after_ten_minutes_unless_the_configuration_says_otherwise_and_never_not() {
    let s = resolve(&Flags::default(), &[HOME], &[]).unwrap();
    assert_eq!((s.lock_after.value, s.lock_after.origin), (Duration::from_secs(600), Origin::Default));
    let s = resolve(&Flags::default(), &[HOME], &[(OURS, "lock_after = 90")]).unwrap();
    assert_eq!((s.lock_after.value, s.lock_after.origin), (Duration::from_secs(90), file(OURS, "lock_after")));
    for wrong in ["0", "-1", "86401", "inf", "nan", "\"never\""] {
        assert!(resolve(&Flags::default(), &[HOME], &[(OURS, &format!("lock_after = {wrong}"))]).is_err(), "{wrong}");
    }
}

#[test]
fn a_registry_is_an_address_or_a_name_with_one() {
    let read = |text: &str| {
        let given = flags(|f| f.registry = Some(text.to_owned()));
        resolve(&given, &[HOME], &[]).map(|s| s.registry.map(|r| (r.value.name, r.value.url)))
    };
    let named = |name: Option<&str>, url: &str| Some((name.map(str::to_owned), url.to_owned()));
    assert_eq!(read("https://reg.example/x?a=b").unwrap(), named(None, "https://reg.example/x?a=b"));
    assert_eq!(read("reg.test:5000=http://127.0.0.1:1").unwrap(), named(Some("reg.test:5000"), "http://127.0.0.1:1"));
    for wrong in ["", "x=", "=https://x", "a b=https://x", "\u{1b}[31m=https://x", "a/b=https://x"] {
        let e = read(wrong).unwrap_err();
        assert!(matches!(e, SettingsError::Value { .. }) && !e.to_string().contains('\u{1b}'), "{wrong}");
    }
}
