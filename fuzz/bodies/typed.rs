// What is done with text that a user may have typed or written. Fuzz targets and a test share it.

use holdup::{
    app::Filter,
    cli::{Config, Environment},
    source::{Credentials, Target, Token, parse_list},
};

/// A filter: it is read, and what is whole of it is the same on its own.
pub(crate) fn filter(bytes: &[u8]) {
    let typed = String::from_utf8_lossy(bytes);
    let (filter, wrong) = Filter::read(&typed);
    assert_eq!(typed.parse::<Filter>().ok(), wrong.is_none().then_some(filter));
}

/// A configuration file: it is one, or it is said what is wrong with it, and in which file.
pub(crate) fn config(bytes: &[u8]) {
    let Ok(file) = tempfile::NamedTempFile::new() else { return };
    if std::fs::write(file.path(), bytes).is_err() {
        return;
    }
    let environment = Environment { config_files: vec![file.path().to_owned()], ..Environment::default() };
    if let Err(error) = Config::load(&environment, &[]) {
        let said = error.to_string();
        assert!(said.contains(&file.path().display().to_string()), "{said}");
    }
}

/// Files of a token and of certificates: they can be used, or it is said what is wrong.
pub(crate) fn credentials(bytes: &[u8]) {
    let Ok(file) = tempfile::NamedTempFile::new() else { return };
    if std::fs::write(file.path(), bytes).is_err() {
        return;
    }
    let path = || Some(file.path().to_owned());
    let ways = [
        Credentials { token: path().map(Token::File), ..Credentials::default() },
        Credentials { ca: path(), ..Credentials::default() },
        Credentials { certificate: path(), key: path(), ..Credentials::default() },
    ];
    for error in ways.iter().filter_map(|way| way.check().err()) {
        assert!(!error.to_string().is_empty());
    }
}

/// A target: what it is shown as is the same target; and a list of them, of which that holds of each.
pub(crate) fn target(bytes: &[u8]) {
    match parse_list(bytes) {
        Ok(listed) => {
            for listed in listed {
                assert_eq!(listed.target.to_string().parse(), Ok(listed.target));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let typed = String::from_utf8_lossy(bytes);
    match typed.parse::<Target>() {
        Ok(target) => {
            let shown = target.to_string();
            assert_eq!(shown.parse(), Ok(target), "{typed:?} is shown as {shown:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
