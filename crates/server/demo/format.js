// Times and names as people read them.

const TIME = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** Sorts times of the wire as text: their fractions of a second differ in length. */
export function timeKey(time) {
  const [, whole, fraction = ''] = time.match(/^([^.Z]*)(?:\.(\d+))?Z?/);
  return `${whole}.${fraction.padEnd(9, '0')}`;
}

export function timeOfDay(time) {
  return TIME.format(new Date(time));
}

/** A key for the local day of a time. */
export function dayKey(time) {
  return new Date(time).toDateString();
}

export function dayName(time) {
  const key = dayKey(time);
  if (key === new Date().toDateString()) return 'Today';
  if (key === new Date(Date.now() - 86_400_000).toDateString()) return 'Yesterday';
  return DAY.format(new Date(time));
}

/** The time today, else the day. */
export function when(time) {
  return dayKey(time) === new Date().toDateString() ? timeOfDay(time) : SHORT_DAY.format(new Date(time));
}

/** 'Ann', 'Ann and Bob', 'Ann, Bob and 3 others'. */
export function nameList(names, most = 3) {
  if (names.length > most) {
    const rest = names.length - (most - 1);
    return `${names.slice(0, most - 1).join(', ')} and ${rest} others`;
  }
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

export function plural(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}

/** The first letters of the first and the last word. */
export function initials(name) {
  const words = name.split(/[\s\-_@]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0] ?? '?'];
  return letters.map((word) => [...word][0].toUpperCase()).join('');
}

/** One of the colours of style.css, always the same for an id. */
export function tone(id) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.codePointAt(0)) % 997;
  return `tone-${sum % 6}`;
}
