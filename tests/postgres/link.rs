//! A process whose link is cut.

use std::fs;
use std::process::{Command, Stdio};

use crate::program::{Orders, alone};
use crate::server::{Server, is_root};

/// A network of its own for one process, joined to this one by a pair of devices.
struct Namespace(String);

fn ip(arguments: &str) -> bool {
    let mut command = Command::new("ip");
    command.args(arguments.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Namespace {
    fn new(address: &str) -> Option<Self> {
        let name = format!("mlp{}", std::process::id());
        if !is_root() || !ip(&format!("netns add {name}")) {
            eprintln!("skipped: a network of a process' own takes root and ip netns");
            return None;
        }
        let namespace = Namespace(name.clone());
        let made = ip(&format!("link add {name}a type veth peer name {name}b netns {name}"))
            && ip(&format!("addr add {address}.1/30 dev {name}a"))
            && ip(&format!("link set {name}a up"))
            && ip(&format!("-n {name} addr add {address}.2/30 dev {name}b"))
            && ip(&format!("-n {name} link set {name}b up"));
        if !made {
            eprintln!("skipped: the devices of a network of its own cannot be made here");
        }
        made.then_some(namespace)
    }

    fn link(&self, state: &str) {
        let name = &self.0;
        assert!(ip(&format!("-n {name} link set {name}b {state}")));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.0));
        ip(&format!("link del {}a", self.0));
    }
}

#[test]
fn a_process_whose_link_is_cut_loses_its_fits_and_finds_the_same_when_it_is_back() {
    let address = format!("10.231.{}", std::process::id() % 200 + 20);
    let Some(namespace) = Namespace::new(&address) else { return };
    let settings = format!("-c listen_addresses={address}.1");
    let server = Server::with(&settings, |data| {
        let lines = format!("local all all trust\nhost all all {address}.0/30 trust\n");
        fs::write(data.join("pg_hba.conf"), lines).unwrap();
    });
    let Some(server) = server else { return };
    let folder = tempfile::tempdir().unwrap();
    let near = Orders { time: 50, lease: 1500, ..Orders::new(server.url(), "halving", folder.path()) };
    let url = format!("postgresql://mlp@{address}.1:{}/postgres?sslmode=disable", server.port);
    let far = Orders { url, ..near.clone() };
    let cut_off = far.start_by(&["ip", "netns", "exec", &namespace.0], "cut off");
    server.wait_for_rows(2);
    namespace.link("down");
    assert!(near.start("near").found() == alone("halving"));
    let rows = server.rows();
    namespace.link("up");
    assert!(cut_off.found() == alone("halving"));
    assert_eq!(server.rows(), rows);
}
