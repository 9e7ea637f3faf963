/**
 * Names of message files in a Maildir: what never changes (the base), and behind a colon the flags. Ours are
 * `<seconds>.M<micros>P<process>R<random>Q<count>.<host>,U=<uid>,S=<bytes>:2,<flags>`; they sort in the order in which they
 * were given out, and programs that know no UIDs (Dovecot, when it sees a tree for the first time) number by that.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

// A colon would name a stream of the file on Windows.
const infoMark = process.platform === 'win32' ? ';' : ':';

const ownBase = /^(\d{1,12})\.M\d{6}P(\d+)R([0-9a-f]{8})Q\d+\.[^,/:]+(?:,U=([1-9]\d{0,9}),S=\d+)?$/;
const maxUid = 0xffff_ffff;

/** A message file's name, taken apart. */
export interface MaildirName {
  /** Stays the same whatever becomes of the flags. */
  readonly base: string;
  /** `null`: the file is not ours. */
  readonly uid: number | null;
  /** Letters; none where the name ends with its base. */
  readonly letters: string;
}

export function parseMaildirName(name: string): MaildirName {
  const [, base = name, info = ''] = /^(.*?)(?::|;(?=2,[A-Za-z]*$))(.*)$/s.exec(name) ?? [];
  const uid = Number(ownBase.exec(base)?.[4]);
  const letters = /^2,([A-Za-z]*)/.exec(info)?.[1] ?? '';
  return { base, uid: uid <= maxUid ? uid : null, letters };
}

export function encodeMaildirName(base: string, letters: string): string {
  return `${base}${infoMark}2,${letters}`;
}

/** The base of a message's file, from the name it had while it was being written. */
export function messageBase(unique: string, uid: number, bytes: number): string {
  return `${unique},U=${uid},S=${bytes}`;
}

/** Names that nobody else gives out, in ascending order. */
export class UniqueNames {
  readonly #random = randomBytes(4).toString('hex');
  readonly #startSeconds = Math.floor(Date.now() / 1000 - process.uptime());
  readonly #host =
    hostname()
      .replace(/[^\w.-]/g, '_')
      .slice(0, 64) || 'localhost';
  #micros = 0;
  #count = 0;

  next(): string {
    // The clock may stand still or be set back; the order of the names is that of the messages all the same.
    this.#micros = Math.max(Date.now() * 1000, this.#micros + 1);
    const seconds = Math.floor(this.#micros / 1e6);
    const micros = String(this.#micros % 1e6).padStart(6, '0');
    return `${seconds}.M${micros}P${process.pid}R${this.#random}Q${++this.#count}.${this.#host}`;
  }

  /** True for what a writer of ours that is gone was writing. Other threads of this process may still be at it. */
  isLeftover(name: string): boolean {
    const [, seconds, pid, random] = ownBase.exec(name) ?? [];
    if (seconds === undefined || random === this.#random) return false;
    return Number(pid) !== process.pid || Number(seconds) < this.#startSeconds;
  }
}
