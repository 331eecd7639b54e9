//! What holds for every procedure on keys, whoever operates it: one can go back on every page, nothing is done before all is
//! answered, and a record of everything that was asked and answered holds no secret.
use crate::procedures_bench::{Bench, NEW, OLD, Person};
use claviger::{
    keys::{self, KeyRole},
    operator::{Cancel, Fut, Session, Stop, run},
    procedures::{
        Workplace,
        key_export::{self, Half},
        key_generate, key_import, key_mend, key_migrate, key_passwd, key_remove, key_strengthen, key_test,
    },
    secret::Passphrase,
};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::PathBuf};

/// A procedure with what is filled into its forms.
struct Case {
    name: &'static str,
    fields: fn(&Bench) -> BTreeMap<&'static str, String>,
    /// How often it does something that has an effect.
    acts: usize,
    run: for<'s> fn(&Bench, &'s mut Session<'_>) -> Fut<'s, Result<String, Stop>>,
}

fn boxed<'s, T: std::fmt::Display + 's>(result: Fut<'s, Result<T, Stop>>) -> Fut<'s, Result<String, Stop>> {
    Box::pin(async move { result.await.map(|done| done.to_string()) })
}

fn text(path: PathBuf) -> String {
    path.to_str().unwrap().to_owned()
}

const CASES: &[Case] = &[
    Case {
        name: "generate",
        fields: |b| [("name", "carol".to_owned()), ("dir", text(b.folder.path().to_owned()))].into(),
        acts: 1,
        run: |b, s| boxed(key_generate::run(b.place(), s)),
    },
    Case {
        name: "import",
        fields: |b| [("file", text(b.path("bob.pem")))].into(),
        acts: 1,
        run: |b, s| boxed(key_import::run(b.place(), s)),
    },
    Case { name: "passwd", fields: |_| [].into(), acts: 1, run: |b, s| boxed(key_passwd::run(b.place(), b.entry(), s)) },
    Case { name: "remove", fields: |_| [].into(), acts: 1, run: |b, s| boxed(key_remove::run(b.place(), b.entry(), s)) },
    Case {
        name: "migrate",
        fields: |b| [("copy", text(b.path("copy")))].into(),
        acts: 3,
        run: |b, s| boxed(key_migrate::run(b.place(), s)),
    },
    Case {
        name: "strengthen",
        fields: |_| [("ask", "same".to_owned())].into(),
        acts: 2,
        run: |b, s| boxed(key_strengthen::run(b.place(), None, s)),
    },
    Case { name: "mend", fields: |_| [].into(), acts: 1, run: |b, s| boxed(key_mend::run(b.place(), s)) },
    Case { name: "test", fields: |_| [].into(), acts: 0, run: |b, s| boxed(key_test::run(b.entry(), s)) },
    Case {
        name: "export",
        fields: |b| [("output", text(b.path("out.pem")))].into(),
        acts: 1,
        run: |b, s| boxed(key_export::run(b.place(), vec![b.entry()], Half::Private, s)),
    },
    Case {
        name: "export --public",
        fields: |b| [("output", text(b.path("out.pub")))].into(),
        acts: 1,
        run: |b, s| boxed(key_export::run(b.place(), vec![b.entry()], Half::Public, s)),
    },
];

async fn played(case: &Case, bench: &Bench, back_at: Option<usize>, stop_at: Option<usize>) -> (Result<String, Stop>, Person) {
    let mut person = Person { back_at, stop_at, ..Person::new((case.fields)(bench)) };
    let result = run(&mut person, Cancel::default(), |s| (case.run)(bench, s)).await;
    (result, person)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_can_go_back_on_every_page_and_the_work_is_done_once() {
    for case in CASES {
        let (result, straight) = played(case, &Bench::new(), None, None).await;
        assert!(result.is_ok(), "{}: {result:?}", case.name);
        for at in 1..=straight.asked {
            let bench = Bench::new();
            let before = bench.files();
            let (result, person) = played(case, &bench, Some(at), None).await;
            assert!(result.is_ok(), "{} back at {at}: {result:?}\n{}", case.name, person.record);
            assert_eq!(person.acts, case.acts, "{} back at {at}", case.name);
            assert!(at == 1 || person.asked > straight.asked, "{} back at {at}: it was not asked again", case.name);
            assert_eq!(bench.files() == before, case.acts == 0, "{} back at {at}", case.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_at_any_page_has_changed_nothing() {
    for case in CASES {
        let bench = Bench::new();
        let before = bench.files();
        for at in 1.. {
            let (result, person) = played(case, &bench, None, Some(at)).await;
            if result.is_ok() {
                assert!(at > 1, "{} asks nothing", case.name);
                break;
            }
            assert_eq!((result, person.acts), (Err(Stop::Cancelled), 0), "{} stopped at {at}", case.name);
            assert_eq!(bench.files(), before, "{} stopped at {at}", case.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_everything_that_was_asked_and_done_is_complete_and_holds_no_secret() {
    for case in CASES {
        let (result, person) = played(case, &Bench::new(), None, None).await;
        assert!(result.is_ok(), "{}: {result:?}", case.name);
        let (begun, ended) = (person.record.matches(" begins ").count(), person.record.matches(" ended Ok(").count());
        assert_eq!((begun, ended), (case.acts, case.acts), "{}: {}", case.name, person.record);
        for secret in [OLD, NEW] {
            assert!(!person.record.contains(secret), "{}: {}", case.name, person.record);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_session_asks_nothing_and_changes_nothing() {
    let bench = Bench::new();
    let before = bench.files();
    let place = Workplace { read_only: Some("--read-only".to_owned()), ..bench.place() };
    let entry = bench.entry();
    let mut person = Person::new(BTreeMap::new());
    let results = [
        run(&mut person, Cancel::default(), |s| boxed(key_generate::run(place.clone(), s))).await,
        run(&mut person, Cancel::default(), |s| boxed(key_import::run(place.clone(), s))).await,
        run(&mut person, Cancel::default(), |s| boxed(key_passwd::run(place.clone(), entry.clone(), s))).await,
        run(&mut person, Cancel::default(), |s| boxed(key_remove::run(place.clone(), entry.clone(), s))).await,
        run(&mut person, Cancel::default(), |s| boxed(key_migrate::run(place.clone(), s))).await,
        run(&mut person, Cancel::default(), |s| boxed(key_strengthen::run(place.clone(), None, s))).await,
        run(&mut person, Cancel::default(), |s| boxed(key_mend::run(place.clone(), s))).await,
    ];
    for result in results {
        assert!(matches!(&result, Err(Stop::Failed(f)) if f.code == "read-only"), "{result:?}");
    }
    assert_eq!((person.asked, bench.files()), (0, before));
}

/// Takes a file with these fields; what is stored, as (role, GUN).
async fn imported(
    bench: &Bench,
    content: &str,
    fields: &[(&'static str, &str)],
) -> Result<Vec<(String, Option<String>)>, String> {
    fs::write(bench.path("in.pem"), content).unwrap();
    fs::set_permissions(bench.path("in.pem"), PermissionsExt::from_mode(0o600)).unwrap();
    let mut all: BTreeMap<&'static str, String> = fields.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
    all.insert("file", text(bench.path("in.pem")));
    let place = bench.place();
    match run(&mut Person::new(all), Cancel::default(), |s| key_import::run(place.clone(), s)).await {
        Ok(done) => Ok(done.0.into_iter().map(|k| (k.role.as_str().to_owned(), k.gun.map(|g| g.to_string()))).collect()),
        Err(Stop::Failed(f)) => Err(f.message),
        Err(stop) => Err(format!("{stop:?}")),
    }
}

/// A key in PEM with these headers, encrypted with [`OLD`] and few rounds.
pub fn pem(headers: &[(&str, &str)]) -> String {
    let (key, role) = (keys::generate(keys::NewKey::EcdsaP256).unwrap(), KeyRole::parse("x").unwrap());
    let passphrase = Passphrase::from(OLD.to_owned());
    let bytes = keys::encode(&role, None, &key, &passphrase, keys::Iterations::worthless(), &|| false).unwrap();
    let parsed = keys::pem_file::parse(&bytes).unwrap();
    let id = key.id().hex();
    let headers: Vec<(String, String)> = headers.iter().map(|(n, v)| ((*n).to_owned(), v.replace("ID", &id))).collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    keys::pem_file::write(&parsed.label, &headers, &parsed.der).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_fills_what_a_file_leaves_open_and_never_contradicts_it() {
    let bench = Bench::new();
    let gun = "a.example/b";
    let one = |role: &str, gun: Option<&str>| Ok(vec![(role.to_owned(), gun.map(str::to_owned))]);
    let targets = [("role", "targets"), ("gun", gun)];
    assert_eq!(imported(&bench, &pem(&[]), &[]).await, one("delegation", None));
    assert_eq!(imported(&bench, &pem(&[]), &[("name", "ana")]).await, one("ana", None));
    assert_eq!(imported(&bench, &pem(&[("role", "delegation")]), &[("name", "ana")]).await, one("ana", None));
    assert_eq!(imported(&bench, &pem(&[("role", "ana")]), &[("role", "delegation")]).await, one("ana", None));
    assert_eq!(imported(&bench, &pem(&targets), &[]).await, one("targets", Some(gun)));
    assert_eq!(imported(&bench, &pem(&targets), &[("role", "targets"), ("gun", gun)]).await, one("targets", Some(gun)));
    assert_eq!(imported(&bench, &pem(&[]), &[("role", "targets"), ("gun", gun)]).await, one("targets", Some(gun)));
    let before = bench.place().trust_dir.walk_private().found.len();
    for (content, fields) in [
        (pem(&targets), &[("gun", "a.example/other")][..]),
        (pem(&targets), &[("role", "root")]),
        (pem(&[("role", "root")]), &[("name", "ana")]),
        (pem(&[("role", "root")]), &[("role", "targets"), ("gun", gun)]),
        (pem(&[("role", "bob")]), &[("name", "ana")]),
    ] {
        let refused = imported(&bench, &content, fields).await;
        assert!(refused.as_ref().is_err_and(|why| why.contains("the file says")), "{fields:?}: {refused:?}");
    }
    assert_eq!(bench.place().trust_dir.walk_private().found.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_of_an_old_layout_keeps_its_roles() {
    let bench = Bench::new();
    for (path, role, gun) in [
        ("root_keys/ID", "root", None),
        ("root_keys/ID_root", "root", None),
        ("tuf_keys/a.example/b/ID_targets", "targets", Some("a.example/b")),
        ("tuf_keys/a.example/b/ID_snapshot", "snapshot", Some("a.example/b")),
        ("ID", "delegation", None),
    ] {
        let expected = Ok(vec![(role.to_owned(), gun.map(str::to_owned))]);
        assert_eq!(imported(&bench, &pem(&[("path", path)]), &[]).await, expected, "{path}");
    }
    let other = "0".repeat(64);
    let refused = imported(&bench, &pem(&[("path", &other)]), &[]).await;
    assert!(refused.as_ref().is_err_and(|why| why.contains("holds the key")), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_of_a_file_is_left_out_in_silence() {
    let bench = Bench::new();
    let (first, second) = (pem(&[]), pem(&[]));
    assert_eq!(imported(&bench, &format!("{first}{second}"), &[]).await.map(|all| all.len()), Ok(2));
    for cut in [
        format!("{}{second}", &first[..first.len() - 60]),
        format!("{first}{}", &second[..second.len() - 60]),
        format!("{first}{}{first}", second.replace("MI", "!!")),
    ] {
        let refused = imported(&bench, &cut, &[]).await;
        assert!(refused.as_ref().is_err_and(|why| why.contains("damaged")), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_a_second_key_is_never_written_over_with_the_first_alone() {
    let bench = Bench::new();
    let entry = bench.entry();
    let both = format!("{}{}", fs::read_to_string(&entry.path).unwrap(), pem(&[]));
    fs::write(&entry.path, &both).unwrap();
    let (place, out) = (bench.place(), text(bench.path("out.pem")));
    let mut person = Person::new(BTreeMap::new());
    let changed = run(&mut person, Cancel::default(), |s| key_passwd::run(place.clone(), entry.clone(), s));
    let why = changed.await.map(|done| done.to_string());
    assert!(matches!(&why, Err(Stop::Failed(f)) if f.code == "more-than-one-block"), "{why:?}");
    let mut person = Person::new([("output", out)].into());
    let exported = run(&mut person, Cancel::default(), |s| key_export::run(place.clone(), vec![entry.clone()], Half::Private, s));
    let why = exported.await.map(|done| done.to_string());
    assert!(matches!(&why, Err(Stop::Failed(f)) if f.code == "more-than-one-block"), "{why:?}");
    assert_eq!(fs::read_to_string(&entry.path).unwrap(), both);
}
