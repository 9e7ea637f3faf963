import { readdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import { TlsError } from './errors.ts';

/** How the server's certificate is judged. Everything is checked unless switched off by name. */
export interface TlsOptions {
  /** False: any certificate is accepted, whoever signed it and whatever it names. */
  readonly verify?: boolean | undefined;
  /** False: the certificate must be trusted but need not name the host. */
  readonly checkHostname?: boolean | undefined;
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** A file of them. */
  readonly caFile?: string | undefined;
  /** A directory of them: every file in it that holds a certificate. */
  readonly caDirectory?: string | undefined;
  /** PEM of our own certificate, with its chain, for servers that ask for one. */
  readonly cert?: string | Buffer | undefined;
  /** PEM of its private key. */
  readonly key?: string | Buffer | undefined;
  /** For a private key that is encrypted. */
  readonly passphrase?: string | undefined;
  /** The name to ask for (SNI) and to find in the certificate, where it is not the host that is dialled. */
  readonly serverName?: string | undefined;
}

/**
 * Runs the TLS handshake over `stream` and resolves when it is done, certificate checks included. The stream belongs to
 * the TLS socket from the call on. Nothing the caller writes can leave before the checks have passed.
 * @throws TlsError when the certificate, the name or the handshake fails; `peer` is named in its message.
 */
export function openTls(stream: Duplex, host: string, options: TlsOptions, peer: string): Promise<TLSSocket> {
  const expectedName = options.serverName ?? host;
  const settings: ConnectionOptions = {
    socket: stream,
    rejectUnauthorized: options.verify ?? true,
    // Named here in every case: Node's own fallback would be the name of whatever socket lies below.
    checkServerIdentity: (_name, certificate) =>
      (options.checkHostname ?? true) ? checkServerIdentity(expectedName, certificate) : undefined,
  };
  // RFC 6066 3: server names are host names; an address literal is not sent.
  if (isIP(expectedName) === 0) settings.servername = expectedName;
  const authorities = readAuthorities(options, peer);
  if (authorities.length > 0) settings.ca = authorities;
  if (options.cert !== undefined) settings.cert = options.cert;
  if (options.key !== undefined) settings.key = options.key;
  if (options.passphrase !== undefined) settings.passphrase = options.passphrase;

  return new Promise((resolve, reject) => {
    const secured = connectTls(settings, peer);
    const fail = (error: Error | null) => {
      // Whatever follows the first failure is the same story; without a listener it would crash the process.
      secured.on('error', () => {});
      secured.destroy();
      reject(toTlsError(error, expectedName, peer));
    };
    const onError = (error: Error) => fail(error);
    const onClose = () => fail(null);
    secured.once('error', onError);
    secured.once('close', onClose);
    secured.once('secureConnect', () => {
      secured.off('error', onError);
      secured.off('close', onClose);
      resolve(secured);
    });
  });
}

/** What the options name, all of it. @throws TlsError when a file cannot be read, or a directory holds none. */
function readAuthorities({ ca, caFile, caDirectory }: TlsOptions, peer: string): (string | Buffer)[] {
  const authorities = ca === undefined ? [] : typeof ca === 'string' || Buffer.isBuffer(ca) ? [ca] : [...ca];
  try {
    if (caFile !== undefined) authorities.push(readFileSync(caFile));
    if (caDirectory !== undefined) authorities.push(...readCertificates(caDirectory));
  } catch (cause) {
    throw new TlsError(`${peer}: the authorities to trust cannot be read: check the CA file or directory.`, { cause });
  }
  if (caDirectory !== undefined && authorities.length === 0) {
    throw new TlsError(`${peer}: the CA directory holds no certificate.`);
  }
  return authorities;
}

function readCertificates(directory: string): Buffer[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => readFileSync(join(directory, entry.name)))
    .filter((content) => content.includes('-----BEGIN CERTIFICATE-----'));
}

function connectTls(settings: ConnectionOptions, peer: string): TLSSocket {
  try {
    return connect(settings);
  } catch (cause) {
    // Reached with a `ca` that is not PEM: the secure context is built before anything is sent.
    throw new TlsError(`${peer}: the TLS settings cannot be used: are the CA file, certificate and key in PEM form?`, {
      cause,
    });
  }
}

function toTlsError(error: Error | null, expectedName: string, peer: string): TlsError {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  const reason = tlsReasons[code] ?? handshakeReason(code, error);
  return new TlsError(`${peer}: ${reason.replace('{name}', expectedName)}`, { cause: error });
}

const notTls = 'the port speaks no TLS: use STARTTLS or another port (993 is the usual one for TLS).';
const untrusted =
  'the certificate is not signed by a trusted authority: name its authority in the CA file, or switch verification off knowingly.';

const tlsReasons: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the certificate is for other names than {name}: check the host, or switch the host name check off knowingly.',
  CERT_HAS_EXPIRED: 'the certificate has expired: the server needs a new one.',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet: compare the clocks of both machines.',
  CERT_REVOKED: 'the certificate was revoked by its authority.',
  INVALID_PURPOSE: 'the certificate is not made for servers.',
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  CERT_SIGNATURE_FAILURE: 'the certificate does not carry the signature of the trusted authority.',
  ERR_SSL_WRONG_VERSION_NUMBER: notTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
  ERR_SSL_HTTP_REQUEST: notTls,
  ERR_SSL_RECORD_LAYER_FAILURE: notTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the server offers only TLS versions older than 1.2, which are refused.',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the server offers only TLS versions older than 1.2, which are refused.',
  ERR_SSL_DH_KEY_TOO_SMALL: 'the server offers only key exchanges that are too weak.',
};

function handshakeReason(code: string, error: Error | null): string {
  if (error === null || code === 'ECONNRESET' || code === 'EPIPE') {
    return 'the server closed the connection during the TLS handshake: does this port speak TLS?';
  }
  return `the TLS handshake failed (${code === '' ? error.name : code}).`;
}
