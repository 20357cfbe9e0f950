//! What the pictures share: sizes, colours, letters, and the line above the panels.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::{Error, Result};

/// Everything is drawn at twice its size, because plotters rounds coordinates to whole pixels.
pub(super) const SCALE: u32 = 2;
pub(super) const PANEL: (u32, u32) = (460 * SCALE, 330 * SCALE);
pub(super) const HEAD: u32 = 44 * SCALE;

/// Blue and vermilion, which the colour-blind can tell apart, from M. Okabe and K. Ito's palette.
pub(super) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(super) const VERMILION: RGBColor = RGBColor(213, 94, 0);
pub(super) const INK: RGBColor = RGBColor(45, 45, 45);
pub(super) const SOFT: RGBColor = RGBColor(130, 130, 130);
pub(super) const GRID: RGBColor = RGBColor(228, 228, 228);

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// What drawing gives; problems are text.
pub(super) type Drawn = std::result::Result<(), String>;

pub(super) fn text(problem: impl std::fmt::Display) -> String {
    problem.to_string()
}

pub(super) fn font(size: u32, colour: &RGBColor) -> TextStyle<'_> {
    ("sans-serif", size * SCALE).into_font().color(colour)
}

/// A page of that size, in drawn pixels, as SVG.
pub(super) fn page(size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String> {
    let mut svg = String::new();
    let drawn = {
        let page = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        page.fill(&WHITE).map_err(text).and_then(|()| draw(&page)).and_then(|()| page.present().map_err(text))
    };
    drawn.map_err(|problem| Error::Format { kind: "picture", problem })?;
    Ok(shown_at_half_size(&svg))
}

/// How an entry of the line above the panels is marked.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mark {
    Line,
    Dashes,
}

/// One line above the panels: what colours mean, and a note on the right.
pub(super) struct Head<'a, 'b> {
    area: &'a Area<'b>,
    x: i32,
}

impl<'a, 'b> Head<'a, 'b> {
    const MIDDLE: i32 = 26 * SCALE as i32;

    pub(super) fn new(area: &'a Area<'b>) -> Self {
        Head { area, x: 62 * SCALE as i32 }
    }

    pub(super) fn entry(&mut self, name: &str, colour: RGBColor, mark: Mark) -> Drawn {
        let scale = SCALE as i32;
        let dashed = mark == Mark::Dashes;
        let pieces: &[(i32, i32)] = if dashed { &[(0, 5), (8, 13), (16, 21)] } else { &[(0, 22)] };
        let width = if dashed { 1 } else { 2 };
        for (from, to) in pieces {
            let line = vec![(self.x + from * scale, Self::MIDDLE), (self.x + to * scale, Self::MIDDLE)];
            self.area.draw(&PathElement::new(line, colour.stroke_width(width * SCALE))).map_err(text)?;
        }
        self.x += 29 * scale;
        self.words(name)
    }

    /// Words without a mark.
    pub(super) fn words(&mut self, words: &str) -> Drawn {
        let scale = SCALE as i32;
        let left = Pos::new(HPos::Left, VPos::Center);
        self.area
            .draw(&Text::new(words.to_owned(), (self.x, Self::MIDDLE), font(13, &INK).pos(left)))
            .map_err(text)?;
        self.x += 24 * scale + words.chars().count() as i32 * 7 * scale;
        Ok(())
    }

    /// Words on the right, where there is room for them.
    pub(super) fn note(&self, note: String) -> Drawn {
        let scale = SCALE as i32;
        let (width, _) = self.area.dim_in_pixel();
        let room = width as i32 - 22 * scale - note.chars().count() as i32 * 7 * scale;
        if self.x < room {
            let right = Pos::new(HPos::Right, VPos::Center);
            let place = (width as i32 - 22 * scale, Self::MIDDLE);
            self.area.draw(&Text::new(note, place, font(13, &SOFT).pos(right))).map_err(text)?;
        }
        Ok(())
    }
}

/// Rows and columns for so many panels.
pub(super) fn grid(panels: usize) -> (usize, usize) {
    let columns = if panels > 4 { 3 } else { panels.min(2) };
    (panels.div_ceil(columns), columns)
}

/// Makes the picture appear at the size it was meant for.
fn shown_at_half_size(svg: &str) -> String {
    let Some((open, rest)) = svg.split_once('>') else { return svg.to_owned() };
    let halved: Vec<String> = open
        .split(' ')
        .map(|word| {
            let size = |name: &str| {
                let digits = word.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"')?;
                let size: u32 = digits.parse().ok()?;
                Some(format!("{name}=\"{}\"", size / SCALE))
            };
            size("width").or_else(|| size("height")).unwrap_or_else(|| word.to_owned())
        })
        .collect();
    format!("{}>{rest}", halved.join(" "))
}
