/** Implements Python's `strftime` for local time in the C locale. */

const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(
  " ",
);
const MONTHS =
  "January February March April May June July August September October November December"
    .split(" ");

const DAY_MS = 86_400_000;

type Directive = (date: Date) => string;

const DIRECTIVES: Readonly<Record<string, Directive>> = {
  a: (date) => DAYS[date.getDay()]!.slice(0, 3),
  A: (date) => DAYS[date.getDay()]!,
  w: (date) => String(date.getDay()),
  u: (date) => String(date.getDay() || 7),
  d: (date) => padded(date.getDate()),
  e: (date) => String(date.getDate()).padStart(2),
  b: (date) => MONTHS[date.getMonth()]!.slice(0, 3),
  h: (date) => MONTHS[date.getMonth()]!.slice(0, 3),
  B: (date) => MONTHS[date.getMonth()]!,
  m: (date) => padded(date.getMonth() + 1),
  y: (date) => padded(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  C: (date) => padded(Math.floor(date.getFullYear() / 100)),
  H: (date) => padded(date.getHours()),
  I: (date) => padded(date.getHours() % 12 || 12),
  k: (date) => String(date.getHours()).padStart(2),
  l: (date) => String(date.getHours() % 12 || 12).padStart(2),
  p: (date) => date.getHours() < 12 ? "AM" : "PM",
  P: (date) => date.getHours() < 12 ? "am" : "pm",
  M: (date) => padded(date.getMinutes()),
  S: (date) => padded(date.getSeconds()),
  f: (date) => padded(date.getMilliseconds(), 3) + "000",
  j: (date) => padded(dayOfYear(date) + 1, 3),
  U: (date) => padded(Math.floor((dayOfYear(date) + 7 - date.getDay()) / 7)),
  W: (date) =>
    padded(Math.floor((dayOfYear(date) + 7 - (date.getDay() + 6) % 7) / 7)),
  V: (date) => padded(isoWeek(date)[1]),
  G: (date) => String(isoWeek(date)[0]),
  g: (date) => padded(isoWeek(date)[0] % 100),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  // `datetime.now()` has no time zone.
  z: () => "",
  Z: () => "",
  c: (date) => strftime(date, "%a %b %e %H:%M:%S %Y"),
  x: (date) => strftime(date, "%m/%d/%y"),
  X: (date) => strftime(date, "%H:%M:%S"),
  D: (date) => strftime(date, "%m/%d/%y"),
  F: (date) => strftime(date, "%Y-%m-%d"),
  R: (date) => strftime(date, "%H:%M"),
  T: (date) => strftime(date, "%H:%M:%S"),
  r: (date) => strftime(date, "%I:%M:%S %p"),
  n: () => "\n",
  t: () => "\t",
  "%": () => "%",
};

/** Implements Python's `date.strftime(format)`. As in the GNU C library, `%-d` omits leading zeros. */
export function strftime(date: Date, format: string): string {
  return format.replace(
    /%([-_0^#]?)([a-zA-Z%])/g,
    (whole, flag: string, letter: string) => {
      const directive = DIRECTIVES[letter];
      return directive === undefined ? whole : flagged(directive(date), flag);
    },
  );
}

function flagged(text: string, flag: string): string {
  switch (flag) {
    case "-":
      return text.replace(/^[0 ]+(?=.)/, "");
    case "_":
      return text.replace(/^0+(?=.)/, (zeros) => " ".repeat(zeros.length));
    case "0":
      return text.replace(/^ +/, (spaces) => "0".repeat(spaces.length));
    case "^":
      return text.toUpperCase();
  }
  return text;
}

function padded(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}

/** Returns the zero-based day of the year. */
function dayOfYear(date: Date): number {
  const day = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return (day - Date.UTC(date.getFullYear(), 0, 1)) / DAY_MS;
}

/** Returns the ISO 8601 year and week number. A week belongs to the year that contains its Thursday. */
function isoWeek(date: Date): [number, number] {
  const thursday = new Date(
    date.getFullYear(),
    date.getMonth(),
    date.getDate() + 4 - (date.getDay() || 7),
  );
  return [thursday.getFullYear(), Math.floor(dayOfYear(thursday) / 7) + 1];
}
