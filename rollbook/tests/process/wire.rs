//! Clients: a decent one, and bytes for what a decent one would not do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Response;

use crate::server::{KEY, Server};

/// A client with one key that tells the status of everything it gets.
pub struct Client {
    agent: Agent,
    key: String,
    base: String,
}

impl Client {
    /// With [`KEY`].
    pub fn of(server: &Server) -> Self {
        Self::with_key(server, KEY)
    }

    pub fn with_key(server: &Server, key: &str) -> Self {
        let agent = Agent::config_builder().http_status_as_error(false).build().into();
        Self { agent, key: key.to_owned(), base: server.url.clone() }
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        let request = self.agent.get(format!("{}{path}", self.base));
        read(request.header("authorization", format!("Bearer {}", self.key)).call().unwrap())
    }

    pub fn delete(&self, path: &str) -> (u16, Value) {
        let request = self.agent.delete(format!("{}{path}", self.base));
        read(request.header("authorization", format!("Bearer {}", self.key)).call().unwrap())
    }

    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.try_post(path, body).unwrap()
    }

    /// An error if there was no answer.
    pub fn try_post(&self, path: &str, body: &Value) -> Result<(u16, Value), ureq::Error> {
        let request =
            self.agent.post(format!("{}{path}", self.base)).content_type("application/json");
        let mut response = request
            .header("authorization", format!("Bearer {}", self.key))
            .send(body.to_string())?;
        let text = response.body_mut().read_to_string()?;
        Ok((response.status().as_u16(), serde_json::from_str(&text).unwrap()))
    }
}

fn read(mut response: Response<ureq::Body>) -> (u16, Value) {
    let text = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The number of a metric without labels.
pub fn gauge(metrics_url: &str, name: &str) -> f64 {
    let text = ureq::get(metrics_url).call().unwrap().body_mut().read_to_string().unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in:\n{text}")).parse().unwrap()
}

/// A connection to which a test writes what it likes.
pub struct Raw(BufReader<TcpStream>);

impl Raw {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        // Fails a test that would otherwise wait for ever.
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self(BufReader::new(stream))
    }

    pub fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// The header of a request to create a project, whose body follows or not.
    pub fn begin_project(&mut self, key: &str, length: usize, header: &str) {
        self.send(&format!(
            "POST /v1/organization/projects HTTP/1.1\r\nHost: rollbook\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{header}\r\n"
        ));
    }

    /// The status line and the header of the next answer.
    pub fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(
                self.0.read_line(&mut head).unwrap(),
                0,
                "the connection ended within: {head:?}"
            );
        }
        head
    }

    /// Everything until the server closes.
    pub fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        rest
    }
}
