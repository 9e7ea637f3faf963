import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { AuthenticationError, toPrintable } from './errors.ts';
import type { SaslResponder } from './sasl.ts';
import { saslPrep } from './sasl-prep.ts';

/**
 * RFC 5802 and RFC 7677 say that a server SHOULD ask for at least this many. Fewer would let whoever plays the server
 * buy a proof that is cheap to search, so fewer are refused.
 */
const minIterations = 4096;

export interface ScramOptions {
  readonly mechanism: 'SCRAM-SHA-1' | 'SCRAM-SHA-256';
  readonly user: string;
  readonly password: string;
  readonly authorizationId?: string | undefined;
  /** Most iterations to compute for a server: they cost it nothing and us everything. */
  readonly maxIterations: number;
  /** The client's nonce; random unless a test says otherwise. */
  readonly nonce?: string | undefined;
}

/**
 * SCRAM without channel binding (RFC 5802, RFC 7677). The server has to prove that it knows the password too:
 * `finish` throws unless its signature was seen and is right.
 * @throws UsageError at once when the user name or password cannot be prepared (RFC 4013).
 */
export function scramResponder(options: ScramOptions): SaslResponder {
  const hash = options.mechanism === 'SCRAM-SHA-1' ? 'sha1' : 'sha256';
  const keyLength = hash === 'sha1' ? 20 : 32;
  const user = saslPrep(options.user, 'user name');
  const password = saslPrep(options.password, 'password');
  const nonce = options.nonce ?? randomBytes(18).toString('base64');
  const authorization =
    options.authorizationId === undefined
      ? ''
      : `a=${saslName(saslPrep(options.authorizationId, 'authorization identity'))}`;
  const header = `n,${authorization},`;
  const firstBare = `n=${saslName(user)},r=${nonce}`;
  const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest();

  let expectedSignature: Buffer | null = null;
  let proven = false;

  function answerServerFirst(message: string): Buffer {
    const attributes = parseAttributes(message);
    if (attributes.has('m')) throw refusal('the server asks for an extension of SCRAM that does not exist here');
    const serverNonce = attributes.get('r') ?? '';
    if (!serverNonce.startsWith(nonce) || serverNonce.length === nonce.length) {
      throw refusal("the server's nonce does not extend ours");
    }
    const salt = decodeBase64(attributes.get('s') ?? '');
    if (salt === null || salt.length === 0) throw refusal('the server sent no usable salt');
    const iterations = parseIterations(attributes.get('i') ?? '', options.maxIterations);

    const salted = pbkdf2Sync(password, salt, iterations, keyLength, hash);
    const clientKey = hmac(salted, 'Client Key');
    const storedKey = createHash(hash).update(clientKey).digest();
    const finalBare = `c=${Buffer.from(header).toString('base64')},r=${serverNonce}`;
    const signed = `${firstBare},${message},${finalBare}`;
    const proof = hmac(storedKey, signed);
    for (let index = 0; index < proof.length; index++) proof[index] = (proof[index] ?? 0) ^ (clientKey[index] ?? 0);
    expectedSignature = hmac(hmac(salted, 'Server Key'), signed);
    return Buffer.from(`${finalBare},p=${proof.toString('base64')}`);
  }

  function checkServerFinal(message: string, expected: Buffer): Buffer {
    const attributes = parseAttributes(message);
    const error = attributes.get('e');
    if (error !== undefined) throw refusal(`the server answered ${toPrintable(error, 100)}`);
    const signature = decodeBase64(attributes.get('v') ?? '');
    if (signature === null || signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw refusal('the server could not prove that it knows the password');
    }
    proven = true;
    return Buffer.alloc(0);
  }

  return {
    secrets: [options.password, password],
    start: () => Buffer.from(header + firstBare),
    answer(challenge) {
      if (proven) throw refusal('the server goes on after the end of the exchange');
      const message = challenge.toString('utf8');
      return expectedSignature === null ? answerServerFirst(message) : checkServerFinal(message, expectedSignature);
    },
    finish() {
      if (!proven) throw refusal('the server said OK without proving that it knows the password');
    },
  };
}

function refusal(reason: string): AuthenticationError {
  return new AuthenticationError(`SCRAM was abandoned: ${reason}.`);
}

/** RFC 5802 5.1 saslname: `,` and `=` are the separators. */
function saslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

function parseAttributes(message: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const part of message.split(',')) {
    if (part[1] !== '=') throw refusal('the server sent a malformed message');
    const name = part.slice(0, 1);
    if (!attributes.has(name)) attributes.set(name, part.slice(2));
  }
  return attributes;
}

function parseIterations(text: string, maxIterations: number): number {
  const iterations = /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : 0;
  if (iterations < minIterations) throw refusal(`the server asks for fewer than ${minIterations} iterations`);
  if (iterations > maxIterations) throw refusal(`the server asks for more than ${maxIterations} iterations`);
  return iterations;
}

function decodeBase64(text: string): Buffer | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  return Buffer.from(text, 'base64');
}
