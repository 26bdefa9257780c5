//! The program's `bench`, run on this machine as a container runs it: commands in, one line of JSON out for each.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use silidock_probe::{Answer, BENCH_SCHEMA, Command, Reply, SCHEMA, WORKLOADS, Work};

struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    fn start(words: &[&str]) -> Self {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_silidock-probe"));
        let mut child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    fn line(&mut self, line: &str) -> Reply {
        writeln!(self.input, "{line}").unwrap();
        self.listen()
    }

    fn listen(&mut self) -> Reply {
        let mut reply = String::new();
        self.output.read_line(&mut reply).unwrap();
        serde_json::from_str(&reply).unwrap()
    }

    /// Ends its input and waits for its end.
    fn end(self) {
        let Self { mut child, input, .. } = self;
        drop(input);
        assert!(child.wait().unwrap().success());
    }

    fn ask(&mut self, command: &Command) -> Reply {
        self.line(&serde_json::to_string(command).unwrap())
    }
}

#[test]
fn a_session_measures_every_workload_and_ends_with_its_input() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = Session::start(&["bench"]);
    let Reply::Hello(hello) = session.ask(&Command::Hello) else { panic!("no greeting") };
    assert_eq!((hello.schema.as_str(), hello.own.schema.as_str(), hello.childless), (BENCH_SCHEMA, SCHEMA, None));
    let child: Answer = serde_json::from_value(hello.child.unwrap()).unwrap();
    assert_eq!(child.cpu, hello.own.cpu);
    let Reply::Surroundings(around) = session.ask(&Command::Surroundings) else { panic!("no surroundings") };
    assert!(around.processors.is_some_and(|count| count >= 1));

    for workload in WORKLOADS {
        let folder = Some(folder.path().to_str().unwrap().to_owned());
        let work = Work { workload: workload.id.to_owned(), folder, peer: None };
        let calibrate = Command::Calibrate { work: work.clone(), nanoseconds: 2_000_000 };
        let Reply::Calibrated { blocks } = session.ask(&calibrate) else { panic!("{}", workload.id) };
        let reply = session.ask(&Command::Run { work, blocks });
        let Reply::Ran(ran) = reply else { panic!("{}: {reply:?}", workload.id) };
        assert_eq!((ran.blocks, ran.checksum), (blocks, workload.checksum), "{}: {:#x}", workload.id, ran.checksum);
        assert!(ran.nanoseconds > 0, "{}", workload.id);
    }

    assert_eq!(session.ask(&Command::Forget), Reply::Done);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "its files are gone");
    session.end();
}

#[test]
fn what_cannot_be_done_is_refused_with_a_reason_and_the_session_goes_on() {
    let mut session = Session::start(&["bench"]);
    let run = |workload: &str, folder: Option<&str>, peer: Option<&str>| Command::Run {
        work: Work { workload: workload.to_owned(), folder: folder.map(str::to_owned), peer: peer.map(str::to_owned) },
        blocks: 1,
    };
    let table = [
        (run("nonsense", None, None), "no workload is called \"nonsense\""),
        (run("files", None, None), "no folder was named"),
        (run("files", Some("/nowhere"), None), "/nowhere: No such file"),
        (run("tcp", None, Some("nobody")), "nobody is no address"),
        (run("tcp", None, Some("127.0.0.2.1")), "127.0.0.2.1 is no address"),
    ];
    for (command, expected) in table {
        let reply = session.ask(&command);
        assert!(matches!(&reply, Reply::Refused { why } if why.contains(expected)), "{command:?}: {reply:?}");
    }
    for line in ["", "{}", "\"goodbye\"", "{\"run\":{}}"] {
        let reply = session.line(line);
        assert!(matches!(&reply, Reply::Refused { why } if why.contains("no command")), "{line:?}: {reply:?}");
    }
    assert!(matches!(session.ask(&run("integer", None, None)), Reply::Ran(_)));
    session.end();
}

#[test]
fn a_partner_says_that_it_listens_and_ends_with_its_input() {
    let mut partner = Session::start(&["bench", "serve"]);
    assert_eq!(partner.listen(), Reply::Done);
    let mut session = Session::start(&["bench"]);
    let work = Work { workload: "tcp".to_owned(), folder: None, peer: Some("127.0.0.1".to_owned()) };
    let reply = session.ask(&Command::Run { work, blocks: 2 });
    let known = WORKLOADS.iter().find(|workload| workload.id == "tcp").unwrap();
    assert!(matches!(&reply, Reply::Ran(ran) if ran.checksum == known.checksum), "{reply:?}");
    session.end();
    partner.end();
}
