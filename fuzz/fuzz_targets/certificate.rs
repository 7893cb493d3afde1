//! Whatever is uploaded as a certificate is read to its end, and what is taken for one is one.

#![no_main]

use admin::resources::certificates::pem::{Certificate, Fault, read};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // What begins like a certificate without its frame gets one, so that base64 does not stand between this and the reader of DER.
    if bytes.first() == Some(&0x30) {
        let text = framed(bytes);
        let read = read(&text);
        check(&text, &read);
        // How a text is broken into lines says nothing.
        assert_eq!(read, self::read(&text.replace('\n', "\r\n")));
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        check(text, &read(text));
    }
});

fn framed(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", STANDARD.encode(der))
}

fn check(text: &str, result: &Result<Certificate, Fault>) {
    match result {
        Ok(read) => {
            assert!(!text.contains("PRIVATE KEY-----"), "a private key is never taken");
            assert_eq!(text.matches("-----BEGIN CERTIFICATE-----").count(), 1);
            assert!(read.valid_at <= read.expires_at);
            let name = read.common_name.as_deref();
            for (shown, most) in [(Some(read.subject.as_str()), 1024), (name, 255)] {
                let shown = shown.unwrap_or_default();
                assert!(shown.chars().count() <= most && !shown.chars().any(char::is_control));
            }
            assert_ne!(name, Some(""));
        }
        // A refusal is a sentence, however long the text was.
        Err(fault) => assert!(fault.to_string().len() < 200),
    }
}
