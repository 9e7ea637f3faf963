/** Words for the demo's mail: people who do not exist, at domains reserved for examples (RFC 2606). */

export interface Person {
  readonly name: string;
  readonly address: string;
}

export const people: readonly Person[] = [
  { name: 'Ada Bergström', address: 'ada.bergstrom@example.org' },
  { name: 'Tomás Quiroga', address: 'tomas@example.net' },
  { name: 'Mei Hayashi', address: 'mei.hayashi@example.com' },
  { name: 'Jonas Keller', address: 'keller@example.org' },
  { name: 'Priya Raman', address: 'priya.raman@example.net' },
  { name: 'Élodie Marchand', address: 'elodie@example.com' },
  { name: "Sean O'Dwyer", address: 'sean.odwyer@example.org' },
  { name: 'Workshop, Garden & Kite Club', address: 'club@example.org' },
];

/** The account's owner. */
export const owner: Person = { name: 'Robin Lindqvist', address: 'robin@example.org' };

export const languages = ['english', 'german', 'french', 'japanese'] as const;

export type Language = (typeof languages)[number];

export const subjects: Readonly<Record<Language, readonly string[]>> = {
  english: [
    'Minutes of Tuesday',
    'The new bridle lines',
    'Seeds for the north bed',
    'Who has the long ladder?',
    'Photos from the harbour',
    'Train tickets for June',
    'Draft of the leaflet, second round',
    'Key for the shed',
  ],
  german: [
    'Rechnung für das Gerüst',
    'Übersicht der Ausgaben',
    'Treffen am Donnerstag',
    'Grüße aus dem Allgäu',
    'Schlüsselübergabe',
  ],
  french: [
    'Le goûter de samedi',
    'Réservation confirmée',
    'Où sont les clés ?',
    'Café près de la gare',
    'Nouvelle adresse à Besançon',
  ],
  japanese: ['会議の議事録', '来週の予定', '凧の写真をありがとう', '庭の手入れについて', '請求書の件'],
};

export const sentences: Readonly<Record<Language, readonly string[]>> = {
  english: [
    'The wind was kinder than the forecast, so we stayed until the light went.',
    'I have put the receipts in the blue folder; two are still missing.',
    'Could you bring the small drill and the tin of brass screws?',
    'Nobody claimed the green umbrella, it hangs by the door now.',
    'If it rains we meet under the arches instead, same time.',
    'The second sail needs a longer spine; the first one hums at any speed.',
    'Thank you for feeding the cat, she has not forgiven us yet.',
    'Let me know by Friday so that I can order enough bread.',
  ],
  german: [
    'Die Leiter steht wieder im Keller, bitte vorsichtig mit der dritten Sprosse.',
    'Wir haben die Maße überprüft, es fehlen genau zwölf Millimeter.',
    'Am Wochenende wird es stürmisch, also fliegen wir höchstens früh.',
    'Der Kuchen war schön, nur leider schon vor dem Kaffee weg.',
  ],
  french: [
    'Le train de neuf heures est complet, j’ai pris le suivant.',
    'Voilà le plan du jardin, les fraises sont marquées en rouge.',
    'On se retrouve à côté de la fontaine, comme d’habitude.',
    'La clé était dans ma poche depuis le début, désolé.',
  ],
  japanese: [
    '資料を添付しましたのでご確認ください。',
    '次回の会議は木曜日の午後三時からです。',
    '駅前の喫茶店でお待ちしています。',
    '写真がとてもきれいに撮れました。',
  ],
};

export const attachmentNames = [
  'plan.pdf',
  'harbour.jpg',
  'receipts.zip',
  'bridle-lines.svg',
  'Übersicht März.pdf',
  '会議資料.pdf',
] as const;

export const zones = ['+0000', '+0100', '+0200', '-0500', '-0700', '+0900', '+0530', '-0330', '+1245'] as const;

export const keywords = ['$Forwarded', '$MDNSent', '$Label1', 'NonJunk', 'Garden', 'to-do'] as const;

/** One folder of the demo. */
export interface DemoFolder {
  readonly path: readonly string[];
  readonly messages: number;
  readonly language?: Language;
  readonly specialUse?: string;
  readonly subscribed?: boolean;
  readonly noselect?: boolean;
}

export const folders: readonly DemoFolder[] = [
  { path: ['INBOX'], messages: 92 },
  { path: ['Sent'], messages: 58, specialUse: '\\Sent' },
  { path: ['Drafts'], messages: 6, specialUse: '\\Drafts' },
  { path: ['Trash'], messages: 11, specialUse: '\\Trash' },
  { path: ['Junk'], messages: 9, specialUse: '\\Junk', subscribed: false },
  { path: ['Archive'], messages: 0, specialUse: '\\Archive' },
  { path: ['Archive', '2017'], messages: 21 },
  { path: ['Archive', '2018'], messages: 24 },
  { path: ['Archive', '2019'], messages: 18 },
  { path: ['Archive', '2020'], messages: 27, subscribed: false },
  { path: ['Projects'], messages: 0, noselect: true, subscribed: false },
  { path: ['Projects', 'Kite [2021]'], messages: 24 },
  { path: ['Projects', 'Kite [2021]', 'Drawings & Plans'], messages: 14 },
  { path: ['Familie & Freunde'], messages: 19, language: 'german' },
  { path: ['Rechnungen', 'Übersicht'], messages: 15, language: 'german' },
  { path: ['Vacances', 'Café de l’Été'], messages: 13, language: 'french' },
  { path: ['日本語', '会議'], messages: 22, language: 'japanese' },
  { path: ['Lists', '[announce] garden'], messages: 31 },
  { path: ['Empty so far'], messages: 0 },
];
