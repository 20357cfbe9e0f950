//! Encrypted connections, by authorities of a test's own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use linfa_mlp::model_selection::Postgres;

use crate::server::Server;

fn openssl(folder: &Path, arguments: &str) -> bool {
    let mut command = Command::new("openssl");
    command.args(arguments.split_whitespace()).current_dir(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// An authority, and a certificate of the server by it.
fn authority(folder: &Path, name: &str) -> bool {
    let key = format!(
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.crt"
    );
    openssl(folder, &key)
}

#[test]
fn certificates_are_verified() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    if !authority(at, "good") || !authority(at, "bad") {
        eprintln!("skipped: there is no openssl on this machine");
        return;
    }
    fs::write(at.join("names"), "subjectAltName = IP:127.0.0.1").unwrap();
    assert!(openssl(at, "req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr"));
    let sign = "x509 -req -in server.csr -CA good.crt -CAkey good.key -CAcreateserial -days 2 -extfile names -out server.crt";
    assert!(openssl(at, sign));
    let server = Server::with("-c ssl=on", |data| {
        for name in ["server.key", "server.crt"] {
            fs::copy(at.join(name), data.join(name)).unwrap();
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(data.join("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
        }
        fs::write(data.join("pg_hba.conf"), "local all all trust\nhostssl all all 127.0.0.1/32 trust\n")
            .unwrap();
    });
    let Some(server) = server else { return };
    let connect = |host: &str, rest: &str| {
        let url = format!("postgresql://mlp@{host}:{}/postgres?{rest}", server.port);
        Postgres::connect(url).map(|_| ()).map_err(|error| error.to_string())
    };
    let root = |name: &str| format!("sslrootcert={}", at.join(name).display());
    for mode in ["verify-full", "require", "prefer"] {
        connect("127.0.0.1", &format!("sslmode={mode}&{}", root("good.crt"))).unwrap();
        let error = connect("127.0.0.1", &format!("sslmode={mode}&{}", root("bad.crt"))).unwrap_err();
        assert!(error.contains("certificate"), "{error}");
    }
    // A name that the certificate does not have, no encryption, the public authorities, and files that are none.
    let error = connect("localhost", &format!("sslmode=require&{}", root("good.crt"))).unwrap_err();
    assert!(error.contains("certificate"), "{error}");
    assert!(connect("127.0.0.1", "sslmode=disable").unwrap_err().contains("pg_hba.conf"));
    assert!(connect("127.0.0.1", "sslmode=require&sslrootcert=system").unwrap_err().contains("certificate"));
    let missing = connect("127.0.0.1", &root("missing.crt")).unwrap_err();
    assert!(missing.starts_with("cannot read ") && missing.contains("missing.crt"), "{missing}");
    assert!(connect("127.0.0.1", &root("names")).unwrap_err().contains("no certificate of an authority"));
}
