//! A server that wants a login, before somebody at a terminal: the questions, a wrong password, Ctrl-C, and what the screen
//! says, which asks nobody.
use super::{Home, Robot};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use claviger::sandbox::{Authority, Call, Response, Sandbox, Service, Shell};
use jiff::Timestamp;
use std::sync::Arc;

const SIZE: (u16, u16) = (100, 30);
const GUN: &str = "sandbox.test/shop/docs";
const RIGHT: &str = "correct horse battery";
const WRONG: &str = "incorrect zebra";
/// Beginnings of the questions.
const USER: &str = "User name (none: press Enter): ";
const PASSWORD: &str = "Password of alice (not shown): ";

/// The sandbox's server behind one that lets only alice in, and a home that knows its address.
struct World {
    home: Home,
    shell: Shell,
    _sandbox: Sandbox,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::new(Timestamp::now(), None).unwrap();
        let inside = sandbox.server().service();
        let right = format!("Basic {}", STANDARD.encode(format!("alice:{RIGHT}")));
        let service: Service = Arc::new(move |call: &Call<'_>| match call.header("authorization") {
            Some(shown) if shown == right => inside(call),
            _ => Response {
                status: 401,
                headers: vec![("WWW-Authenticate", "Basic realm=\"the lab\"".into())],
                body: b"{\"errors\":[]}".to_vec(),
            },
        });
        let shell = Shell::start(&Authority::new().unwrap(), service, 0).unwrap();
        let home = Home::empty();
        std::fs::write(home.dir.path().join("ca.crt"), shell.ca_pem()).unwrap();
        Self { home, shell, _sandbox: sandbox }
    }

    /// claviger, which knows this server.
    fn start(&self, arguments: &[&str]) -> Robot {
        let (url, ca) = (format!("https://{}", self.shell.address()), self.home.dir.path().join("ca.crt"));
        let all = [arguments, &["--server", &url, "--tlscacert", ca.to_str().unwrap()]].concat();
        self.home.start(&all, SIZE)
    }

    /// It has ended with this status, the terminal is as it was, and no password was seen.
    fn ended(&self, mut robot: Robot, status: u32) -> String {
        assert_eq!(robot.end(), status, "{}", robot.screen());
        robot.wait_whole();
        let said = String::from_utf8_lossy(&robot.said()).into_owned();
        for secret in [RIGHT, WRONG, "correct", "horse", "zebra", &STANDARD.encode(format!("alice:{RIGHT}"))] {
            assert!(!said.contains(secret), "{secret} was seen:\n{said}");
        }
        said
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_asked_for_on_the_terminal_and_a_wrong_one_is_refused_by_name() {
    let world = World::new();
    let ask = |password: &str| {
        let mut robot = world.start(&["repo", "show", GUN]);
        robot.hear("A login for sandbox.test is wanted; it will be sent to 127.0.0.1.");
        robot.hear(USER);
        robot.press("alice\n");
        robot.hear(PASSWORD);
        robot.press(&format!("{password}\n"));
        robot
    };
    let mut robot = ask(WRONG);
    robot.hear("asked as alice, with the login from the terminal");
    world.ended(robot, 1);
    let mut robot = ask(RIGHT);
    robot.hear("shop/docs");
    robot.hear("targets");
    world.ended(robot, 0);
    // Whoever has no name is nobody, and is not asked for a password.
    let mut robot = world.start(&["repo", "show", GUN]);
    robot.hear(USER);
    robot.press("\n");
    robot.hear("asked without a login");
    let said = world.ended(robot, 1);
    assert!(!said.contains("Password of"), "{said}");
    world.shell.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_either_question_ends_the_command_and_gives_the_terminal_back() {
    let world = World::new();
    let mut robot = world.start(&["repo", "show", GUN]);
    robot.hear(USER);
    robot.press("al\x03");
    world.ended(robot, 130);

    let mut robot = world.start(&["repo", "show", GUN]);
    robot.hear(USER);
    robot.press("alice\n");
    robot.hear(PASSWORD);
    robot.type_slowly("correct h");
    robot.press("\x03");
    world.ended(robot, 130);
    world.shell.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workstation_asks_nobody_and_says_how_to_log_in() {
    let world = World::new();
    let mut robot = world.start(&[]);
    robot.see("Overview");
    robot.press("3");
    let screen = robot.see("asked without a login");
    assert!(screen.contains("the server does not allow this"), "{screen}");
    let screen = robot.see("docker login");
    assert!(!screen.contains(USER) && !screen.contains("Password of"), "{screen}");
    robot.press("q");
    world.ended(robot, 0);
    world.shell.stop().await;
}
