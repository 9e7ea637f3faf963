/**
 * What the sandbox can do beyond RFC 3501, one switch each. A feature that is off is not advertised, not accepted, and
 * leaves no trace in any answer.
 */

/** Every switch, with the capabilities that announce it after login. Those without a token of their own have none. */
const featureTokens = {
  'LITERAL+': ['LITERAL+'],
  'LITERAL-': ['LITERAL-'],
  'SASL-IR': [],
  ID: ['ID'],
  ENABLE: ['ENABLE'],
  IDLE: ['IDLE'],
  NAMESPACE: ['NAMESPACE'],
  CHILDREN: ['CHILDREN'],
  UIDPLUS: ['UIDPLUS'],
  UNSELECT: ['UNSELECT'],
  MULTIAPPEND: ['MULTIAPPEND'],
  MOVE: ['MOVE'],
  'LIST-EXTENDED': ['LIST-EXTENDED'],
  'LIST-STATUS': ['LIST-STATUS'],
  'SPECIAL-USE': ['SPECIAL-USE'],
  'CREATE-SPECIAL-USE': ['CREATE-SPECIAL-USE'],
  'STATUS=SIZE': ['STATUS=SIZE'],
  CONDSTORE: ['CONDSTORE'],
  ESEARCH: ['ESEARCH'],
  QUOTA: ['QUOTA', 'QUOTA=RES-STORAGE', 'QUOTA=RES-MESSAGE'],
  APPENDLIMIT: [],
  STARTTLS: [],
  LOGIN: [],
  PROXYAUTH: [],
  'AUTH=PLAIN': [],
  'AUTH=LOGIN': [],
  'AUTH=CRAM-MD5': [],
  'AUTH=SCRAM-SHA-1': [],
  'AUTH=SCRAM-SHA-256': [],
  'AUTH=XOAUTH2': [],
  'AUTH=OAUTHBEARER': [],
  'AUTH=EXTERNAL': [],
} as const satisfies Record<string, readonly string[]>;

export type Feature = keyof typeof featureTokens;

export const allFeatures = Object.keys(featureTokens) as readonly Feature[];

/** Off unless enabled: RFC 7888 forbids LITERAL- beside LITERAL+, and EXTERNAL wants a client certificate or its stand-in. */
const offByDefault: readonly Feature[] = ['LITERAL-', 'AUTH=EXTERNAL'];

/** Features advertised before login too (or only then, for the mechanisms). */
const beforeLogin: readonly Feature[] = ['LITERAL+', 'LITERAL-', 'ID', 'ENABLE', 'IDLE'];

/**
 * The features of one server.
 *
 * @throws TypeError for a name that is no feature: a switch that switches nothing would make a test prove nothing.
 */
export function resolveFeatures(disable: readonly string[], enable: readonly string[]): ReadonlySet<Feature> {
  const on = new Set<Feature>(allFeatures);
  for (const name of offByDefault) on.delete(name);
  for (const name of enable) on.add(checkFeature(name));
  if (enable.includes('LITERAL-')) on.delete('LITERAL+');
  for (const name of disable) on.delete(checkFeature(name));
  if (!on.has('SPECIAL-USE')) on.delete('CREATE-SPECIAL-USE');
  return on;
}

function checkFeature(name: string): Feature {
  if (!Object.hasOwn(featureTokens, name)) throw new TypeError(`the sandbox has no feature named ${name}`);
  return name as Feature;
}

/** What decides the capability line besides the features. */
export interface CapabilityContext {
  readonly loggedIn: boolean;
  /** STARTTLS can be had on this connection now. */
  readonly canStartTls: boolean;
  /** Passwords are refused on this connection as it is. */
  readonly loginDisabled: boolean;
  readonly appendLimit: number | null;
}

/** The capability line's tokens, in a stable order. */
export function listCapabilities(on: ReadonlySet<Feature>, context: CapabilityContext): string[] {
  const tokens = ['IMAP4rev1'];
  for (const feature of allFeatures) {
    if (on.has(feature) && (context.loggedIn || beforeLogin.includes(feature))) tokens.push(...featureTokens[feature]);
  }
  if (context.loggedIn) {
    if (on.has('APPENDLIMIT') && context.appendLimit !== null) tokens.push(`APPENDLIMIT=${context.appendLimit}`);
    return tokens;
  }
  if (on.has('SASL-IR')) tokens.push('SASL-IR');
  if (context.canStartTls) tokens.push('STARTTLS');
  if (context.loginDisabled || !on.has('LOGIN')) tokens.push('LOGINDISABLED');
  for (const feature of allFeatures) {
    if (feature.startsWith('AUTH=') && on.has(feature) && !context.loginDisabled) tokens.push(feature);
  }
  return tokens;
}
