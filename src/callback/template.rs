//! File names with values in them: `runs/epoch-{epoch:02}-{val_loss:.4}.mlp`.

use super::View;
use crate::error::{Error, Result};

/// A template, parsed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Value { name: String, zeros: bool, width: usize, precision: Option<usize> },
}

/// Counters of the run, which are whole numbers.
const COUNTERS: [&str; 3] = ["epoch", "batch", "step"];

impl Template {
    /// Reads a template: `{name}` or `{name:0W.P}`, where `0` fills up with zeros to the width `W`, and `P` is the number of
    /// decimals. A brace itself is written twice. Python's `d` and `f` at the end are understood.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = |allowed: &str| Error::parameter("path", format!("{text:?}"), allowed);
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let end = after.find('}').filter(|_| brace == "{");
            let end = end.ok_or_else(|| wrong("a template whose braces come in pairs"))?;
            let (name, format) = after[..end].split_once(':').unwrap_or((&after[..end], ""));
            let piece = value(name.trim(), format);
            let piece =
                piece.ok_or_else(|| wrong("a template with values such as {epoch:02} and {val_loss:.4}"))?;
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(piece);
            rest = &after[end + 1..];
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(Template(pieces))
    }

    /// Names of the values in it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Value { name, .. } => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// Checks that the run has the values at the end of a batch or of an epoch.
    pub(super) fn check(&self, view: &View<'_>, at_batches: bool) -> Result<()> {
        let known: Vec<&str> = COUNTERS.into_iter().chain(values_at(view, at_batches)).collect();
        match self.names().find(|name| !known.contains(name)) {
            Some(name) => Err(Error::parameter(
                "path",
                format!("a template with {{{name}}}"),
                format!("a template with values among {}", known.join(", ")),
            )),
            None => Ok(()),
        }
    }

    /// The file name at this moment.
    pub(super) fn render(&self, view: &View<'_>) -> String {
        let mut path = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => path.push_str(text),
                Piece::Value { name, zeros, width, precision } => {
                    let counter = match name.as_str() {
                        "epoch" => Some(view.epoch() as u64),
                        "batch" => Some(view.batch() as u64),
                        "step" => Some(view.step()),
                        _ => None,
                    };
                    let value = view.value(name).unwrap_or(f64::NAN);
                    let text = match (counter, precision) {
                        (Some(counter), _) => counter.to_string(),
                        (None, Some(precision)) => format!("{value:.precision$}"),
                        (None, None) => value.to_string(),
                    };
                    let fill = if *zeros { '0' } else { ' ' };
                    let (sign, digits) =
                        text.strip_prefix('-').map_or(("", &text[..]), |digits| ("-", digits));
                    path.push_str(sign);
                    path.extend(std::iter::repeat_n(fill, width.saturating_sub(text.len())));
                    path.push_str(digits);
                }
            }
        }
        path
    }
}

/// The values there are at the end of a batch, or of an epoch.
pub(super) fn values_at<'v>(view: &'v View<'_>, at_batches: bool) -> impl Iterator<Item = &'v str> {
    let names = view.names().iter().map(String::as_str);
    names.filter(move |name| !at_batches || !(name.starts_with("val_") || *name == "learning_rate"))
}

fn value(name: &str, format: &str) -> Option<Piece> {
    let is_counter = COUNTERS.contains(&name);
    let format = format.strip_suffix(if is_counter { 'd' } else { 'f' }).unwrap_or(format);
    let (width, precision) = format.split_once('.').map_or((format, None), |(w, p)| (w, Some(p)));
    let number = |digits: &str| digits.parse::<usize>().ok().filter(|n| *n <= 64 && !digits.starts_with('+'));
    let precision = match precision {
        Some(_) if is_counter => return None,
        Some(digits) => Some(number(digits)?),
        None => None,
    };
    let name_is_one = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let zeros = width.len() > 1 && width.starts_with('0');
    let width = if width.is_empty() { 0 } else { number(width)? };
    name_is_one.then(|| Piece::Value { name: name.into(), zeros, width, precision })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_read_piece_by_piece() {
        let template = Template::parse("a{{b}}/{epoch:02d}-{val_loss:.4f}.mlp").unwrap();
        let epoch = Piece::Value { name: "epoch".into(), zeros: true, width: 2, precision: None };
        let loss = Piece::Value { name: "val_loss".into(), zeros: false, width: 0, precision: Some(4) };
        let text = |text: &str| Piece::Text(text.into());
        assert_eq!(template.0, [text("a{b}/"), epoch, text("-"), loss, text(".mlp")]);
        assert_eq!(Template::parse("{epoch:02}").unwrap(), Template::parse("{epoch:02d}").unwrap());
    }

    #[test]
    fn a_template_that_means_nothing_is_refused() {
        for text in [
            "{",
            "}",
            "{}",
            "{epoch",
            "epoch}",
            "{epoch:.2}",
            "{epoch:x}",
            "{loss:.x}",
            "{loss:+3}",
            "{loss:999}",
            "{a b}",
            "{../x}",
            "{epoch:{}}",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
