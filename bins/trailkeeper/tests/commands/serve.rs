//! `serve`: first and second start, and the commands that it prints.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::Program;

/// A running server. It is killed when the test ends, also by a panic.
pub struct Server {
    pub child: Child,
    pub address: String,
    banner: String,
}

impl Server {
    /// Starts on a free port and reads the printed text up to the last command.
    pub fn start(program: &Program, arguments: &[&str]) -> Self {
        let mut command = program.command(&["serve", "--listen", "127.0.0.1:0", "--workers", "1"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut banner = String::new();
        while banner.matches("curl -sS").count() < 2 || !banner.contains("/page-statistics") {
            let line = lines.next().unwrap_or_else(|| panic!("the server ended: {banner}")).unwrap();
            banner.push_str(&line);
            banner.push('\n');
        }
        let address = banner.split("http://").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        Self { child, address, banner }
    }

    pub fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Sends a request. Returns the status and the body of the response.
    fn send(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let body = body.to_string();
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n{token}Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Runs the printed commands in a shell and returns their output.
    fn pasted(&self) -> String {
        let (_, commands) = self.banner.split_once("TOKEN=").unwrap();
        let output = Command::new("sh").arg("-ec").arg(format!("TOKEN={commands}")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

fn check_pasted(server: &Server, views: u64) {
    let printed = server.pasted();
    let answers: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 2, "{printed}");
    assert_eq!(answers[0]["stored"], 1, "{printed}");
    let welcome = json!({"page": "/welcome", "current": {"views": views, "users": 1}, "previous": null});
    assert_eq!(answers[1]["pages"], json!([welcome]), "{printed}");
}

#[test]
fn the_first_start_creates_an_administrator_and_the_printed_commands_work() {
    let program = Program::new();
    let server = Server::start(&program, &[]);
    assert!(server.banner.contains("admin@trailkeeper.local\n  password "), "{}", server.banner);
    let root = server.get("/");
    assert!(root.starts_with("HTTP/1.1 307 ") && root.contains("location: /docs/\r\n"), "{root}");
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200 "));
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200 "));
    check_pasted(&server, 1);
    // Commands work next to the running server.
    program.run(&["token", "create", "--role", "ingest", "--name", "second"]).good();
    drop(server);

    // The password is no longer known, so the commands create a token instead.
    let server = Server::start(&program, &[]);
    assert!(!server.banner.contains("password  ") && server.banner.contains("token create"), "{}", server.banner);
    check_pasted(&server, 2);
    assert_eq!(program.json(&["account", "list", "--json"]).as_array().unwrap().len(), 1);
}

#[test]
fn the_first_administrator_can_be_chosen() {
    let program = Program::new();
    let chosen = ["--admin-email", "root@example.com", "--admin-password", "correct horse battery"];
    let server = Server::start(&program, &chosen);
    assert!(server.banner.contains("root@example.com"), "{}", server.banner);
    assert!(!server.banner.contains("battery"), "{}", server.banner);
    let accounts = program.json(&["account", "list", "--json"]);
    assert_eq!((&accounts[0]["email"], &accounts[0]["role"]), (&"root@example.com".into(), &"admin".into()));
}

#[test]
fn a_port_in_use_is_reported() {
    let program = Program::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let done = program.run(&["serve", "--listen", &address]);
    // The administrator exists now, so the password must be printed: it is never printed again.
    assert!(done.stdout.contains("password "), "{}", done.stdout);
    let message = done.failed(1);
    assert!(message.contains(&address) && message.contains("--listen"), "{message}");
}

#[test]
fn an_administrator_with_an_invalid_setting_is_reported_by_that_setting() {
    let program = Program::new();
    for (name, value, message) in [
        ("TRAILKEEPER_ADMIN_PASSWORD", "short", "admin-password (TRAILKEEPER_ADMIN_PASSWORD): has 5 bytes"),
        ("TRAILKEEPER_ADMIN_EMAIL", "nobody", "admin-email (TRAILKEEPER_ADMIN_EMAIL): 'nobody' is not an e-mail"),
    ] {
        let output = program.command(&["serve", "--listen", "127.0.0.1:0"]).env(name, value).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
    assert_eq!(program.json(&["account", "list", "--json"]).as_array().unwrap().len(), 0);
}

#[test]
fn a_server_with_another_master_key_does_not_start() {
    let program = Program::new();
    drop(Server::start(&program, &[]));
    let other = "ab".repeat(32);
    let output = program.command(&["serve", "--listen", "127.0.0.1:0", "--master-key", &other]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("master-key: it is not the key that sealed the keys in sqlite:"), "{message}");
}

#[test]
fn a_session_ended_by_a_command_is_ended_on_the_running_server() {
    let program = Program::new();
    let chosen = ["--admin-email", "root@example.com", "--admin-password", "correct horse battery"];
    let server = Server::start(&program, &chosen);
    let log_in = || {
        let typed = serde_json::json!({"Username": "root@example.com", "Password": "correct horse battery"});
        let (status, body) = server.send("POST", "/api/UserAccount/Login", None, &typed);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["accessToken"].as_str().unwrap().to_owned()
    };
    let status = |token: &str| server.send("GET", "/v1/accounts", Some(token), &Value::Null).0;
    let (first, second) = (log_in(), log_in());
    assert_eq!((status(&first), status(&second)), (200, 200));

    let listed = program.json(&["session", "list", "--account", "root@example.com", "--json"]);
    let listed = listed.as_array().unwrap();
    assert_eq!(
        (listed.len(), &listed[0]["email"], &listed[0]["source"]),
        (2, &"root@example.com".into(), &"127.0.0.1".into())
    );
    let id = listed[1]["id"].as_str().unwrap();
    program.run(&["session", "end", id]).good();
    assert_eq!((status(&first), status(&second)), (401, 200));
    assert_eq!(program.json(&["session", "list", "--json"]).as_array().unwrap().len(), 1);
    let table = program.run(&["session", "list", "--past"]).good().stdout;
    assert!(table.contains("ended 20") && table.contains("until 20"), "{table}");
    let done = program.run(&["session", "end", "--account", "root@example.com"]).good();
    assert_eq!(done.stdout, "ended sessions of root@example.com: 1\n");
    assert_eq!(status(&second), 401);
}
