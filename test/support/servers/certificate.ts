/** Certificates for test servers, made by the openssl command. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface Certificate {
  /** PEM; self-signed, so it is its own authority. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** Makes a certificate for `names` (`DNS:…`, `IP:…`) in `dir`. */
export function makeCertificate(
  dir: string,
  names: readonly string[] = ['DNS:localhost', 'IP:127.0.0.1'],
): Certificate {
  const certFile = join(dir, 'cert.pem');
  const keyFile = join(dir, 'key.pem');
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-nodes', '-days', '3650', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...['-subj', '/CN=imap-migrate test', '-addext', `subjectAltName=${names.join(',')}`],
      ...['-keyout', keyFile, '-out', certFile],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  return { certFile, keyFile };
}
