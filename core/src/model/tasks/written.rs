//! Tasks as they are written down: a column for each thing, of those slots alone in which there is a task.

use super::{
    Tasks,
    chunk::{Chunk, Cold},
    rare::Rare,
    recent::Recent,
    sparse::Sparse,
    task::Origin,
};
use crate::{
    model::{
        PlaceId, Slot, Sym,
        slots::{CHUNK, Slots},
    },
    packed::Column,
    update::{Field, Stamp, TaskId, TaskKind, look::TaskLook},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::sync::Arc;

/// How many slots there are, which of them are free, and the chunks.
#[derive(Serialize)]
struct WrittenTasks<'a>(usize, &'a [Slot], Vec<WrittenChunk<'a>>);

#[derive(Serialize)]
struct WrittenChunk<'a> {
    columns: Columns,
    kinds: Vec<TaskKind>,
    origins: Vec<Origin>,
    recent: &'a Sparse<Recent>,
    rare: &'a Sparse<Rare>,
    fields: &'a Sparse<Arc<[Field]>>,
    looks: &'a Sparse<(Arc<TaskLook>, Stamp)>,
}

#[derive(Deserialize)]
struct ReadChunk {
    columns: Columns,
    kinds: Vec<TaskKind>,
    origins: Vec<Origin>,
    recent: Sparse<Recent>,
    rare: Sparse<Rare>,
    fields: Sparse<Arc<[Field]>>,
    looks: Sparse<(Arc<TaskLook>, Stamp)>,
}

/// The numbers of each task, one column after the other.
#[derive(Serialize, Deserialize)]
struct Columns(Vec<Column>);

/// So many columns: the place in the chunk, and [`numbers`].
const COLUMNS: usize = 1 + NUMBERS;
const NUMBERS: usize = 21;

impl Tasks {
    /// Which of the columns in which tasks are written down are instants, in nanoseconds; zero is none.
    pub const INSTANTS: [usize; 6] = [8, 11, 12, 13, 14, 15];

    /// Which of them is one in seconds.
    pub const SECONDS: usize = COLUMNS - 1;
}

impl Chunk {
    fn numbers(&self, at: usize) -> [u64; NUMBERS] {
        let cold = &self.cold[at];
        [
            cold.id.0,
            self.more[at].into(),
            self.names[at].index() as u64,
            self.places[at].index() as u64,
            self.numbers[at].into(),
            self.polls[at].into(),
            self.wakes[at].into(),
            nanos(self.created[at]),
            self.busy[at],
            self.scheduled[at],
            cold.confirmed.nanos(),
            nanos(cold.dropped),
            nanos(cold.last_wake),
            nanos(cold.last_started),
            nanos(cold.last_ended),
            cold.self_wakes.into(),
            cold.waker_clones.into(),
            cold.waker_drops.into(),
            cold.size.into(),
            cold.longest_micros.into(),
            cold.longest_at.into(),
        ]
    }

    fn set_numbers(&mut self, at: usize, of: [u64; NUMBERS], origin: Origin) {
        self.more[at] = of[1] != 0;
        self.names[at] = Sym::from_index(of[2] as usize);
        self.places[at] = PlaceId::from_index(of[3] as usize);
        self.numbers[at] = of[4] as u32;
        self.polls[at] = of[5] as u32;
        self.wakes[at] = of[6] as u32;
        self.created[at] = stamp(of[7]);
        self.busy[at] = of[8];
        self.scheduled[at] = of[9];
        self.cold[at] = Cold {
            id: TaskId(of[0]),
            confirmed: Stamp::from_nanos(of[10]),
            dropped: stamp(of[11]),
            last_wake: stamp(of[12]),
            last_started: stamp(of[13]),
            last_ended: stamp(of[14]),
            self_wakes: of[15] as u32,
            waker_clones: of[16] as u32,
            waker_drops: of[17] as u32,
            size: of[18] as u32,
            longest_micros: of[19] as u32,
            longest_at: of[20] as u32,
            origin,
        };
    }

    fn written(&self) -> WrittenChunk<'_> {
        let rows = || (0..CHUNK).filter(|&at| self.states[at].is_some());
        let mut columns = vec![rows().map(|at| at as u64).collect()];
        let numbers: Vec<_> = rows().map(|at| self.numbers(at)).collect();
        columns.extend((0..NUMBERS).map(|column| numbers.iter().map(|of| of[column]).collect::<Column>()));
        WrittenChunk {
            columns: Columns(columns),
            kinds: rows().map(|at| self.kinds[at]).collect(),
            origins: rows().map(|at| self.cold[at].origin).collect(),
            recent: &self.recent,
            rare: &self.rare,
            fields: &self.fields,
            looks: &self.looks,
        }
    }
}

impl ReadChunk {
    /// `None` where its parts do not fit together.
    fn chunk(self) -> Option<Arc<Chunk>> {
        let count = self.kinds.len();
        let columns: Vec<&[u64]> = self.columns.0.iter().map_while(|column| column.of(count)).collect();
        let [places, numbers @ ..] = columns.as_slice() else { return None };
        if columns.len() != COLUMNS || self.origins.len() != count {
            return None;
        }
        let mut chunk = Arc::new(Chunk::EMPTY);
        let written = Arc::make_mut(&mut chunk);
        (written.recent, written.rare, written.fields, written.looks) =
            (self.recent, self.rare, self.fields, self.looks);
        for (row, &at) in places.iter().enumerate() {
            let at = usize::try_from(at).ok().filter(|&at| at < CHUNK)?;
            if written.states[at].is_some() {
                return None;
            }
            written.set_numbers(at, std::array::from_fn(|column| numbers[column][row]), self.origins[row]);
            written.kinds[at] = self.kinds[row];
            // Its state follows from its statistics.
            let stats = written.stats(at);
            written.set_stats(at, &stats);
        }
        let has_row = |at: usize| written.states[at].is_some();
        let of_rows = written.recent.iter().map(|(at, _)| at).chain(written.rare.iter().map(|(at, _)| at));
        let mut of_rows =
            of_rows.chain(written.fields.iter().map(|(at, _)| at)).chain(written.looks.iter().map(|(at, _)| at));
        let all_have_rows = of_rows.all(has_row);
        drop(of_rows);
        all_have_rows.then_some(chunk)
    }
}

impl Serialize for Tasks {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let chunks = self.chunks.iter().map(|chunk| chunk.written()).collect();
        WrittenTasks(self.slots.used(), self.slots.free(), chunks).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Tasks {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (used, free, chunks): (usize, Vec<Slot>, Vec<ReadChunk>) = Deserialize::deserialize(from)?;
        let slots = Slots::written(used, free).filter(|slots| chunks.len() == slots.used().div_ceil(CHUNK));
        let tasks = slots.and_then(|slots| {
            let chunks: Option<Vec<Arc<Chunk>>> = chunks.into_iter().map(ReadChunk::chunk).collect();
            Tasks::of_chunks(slots, chunks?)
        });
        tasks.ok_or_else(|| D::Error::custom("tasks that do not hold together"))
    }
}

fn nanos(stamp: Option<Stamp>) -> u64 {
    stamp.map_or(0, Stamp::nanos)
}

fn stamp(nanos: u64) -> Option<Stamp> {
    (nanos != 0).then(|| Stamp::from_nanos(nanos))
}
