import type { ListedFolder } from './commands/list.ts';

/** What a folder is for (RFC 6154 2, RFC 8457). */
export const specialUses = {
  all: '\\All',
  archive: '\\Archive',
  drafts: '\\Drafts',
  flagged: '\\Flagged',
  important: '\\Important',
  junk: '\\Junk',
  sent: '\\Sent',
  trash: '\\Trash',
} as const;

/** Gmail's words of the time before RFC 6154, in XLIST. */
const aliases: Readonly<Record<string, string>> = {
  '\\allmail': '\\all',
  '\\spam': '\\junk',
  '\\starred': '\\flagged',
};

/**
 * Names that mail programs and providers give their folders, in lower case, the likelier first. A folder called so is
 * taken for what it says only where the server itself does not tell.
 */
const knownNames: Readonly<Record<string, readonly string[]>> = {
  '\\sent': [
    ...['sent', 'sent items', 'sent messages', 'sent mail', 'sent-mail', 'sentmail'],
    ...['gesendet', 'gesendete elemente', 'gesendete objekte', 'gesendete nachrichten'],
    ...['envoyés', 'éléments envoyés', 'messages envoyés', 'courrier envoyé', 'objets envoyés'],
    ...['enviados', 'elementos enviados', 'mensajes enviados', 'correo enviado', 'enviadas'],
    ...['itens enviados', 'mensagens enviadas', 'e-mails enviados', 'enviats', 'elements enviats', 'bidalita'],
    ...['posta inviata', 'inviata', 'inviati', 'elementi inviati', 'messaggi inviati'],
    ...['verzonden', 'verzonden items', 'verzonden berichten', 'verstuurd'],
    ...['skickat', 'skickade', 'skickade meddelanden', 'sendt', 'sendte', 'sendt post', 'sendte elementer'],
    ...['lähetetyt', 'lähetetyt viestit', 'sent póstur', 'sendir hlutir'],
    ...[
      'wysłane',
      'elementy wysłane',
      'wysłane wiadomości',
      'odeslaná pošta',
      'odeslané',
      'odoslané',
      'odoslaná pošta',
    ],
    ...['elküldött', 'elküldött elemek', 'elküldött üzenetek', 'trimise', 'mesaje trimise', 'elemente trimise'],
    ...['poslano', 'poslane stavke', 'poslane poruke', 'poslato', 'poslata pošta', 'saadetud', 'saadetud kirjad'],
    ...['nosūtītie', 'nosūtītās vienumi', 'išsiųsta', 'išsiųsti laiškai', 'изпратени', 'изпратена поща'],
    ...['отправленные', 'отправлено', 'надіслані', 'відправлені', 'адпраўленыя', 'послато', 'испратени'],
    ...['απεσταλμένα', 'gönderilmiş öğeler', 'gönderilmiş', 'gönderilenler', 'giden', 'göndərilmiş'],
    ...['送信済み', '送信済みアイテム', '送信済みメール', '已发送', '已发送邮件', '已傳送', '寄件備份', '寄件匣備份'],
    ...[
      '보낸 편지함',
      '보낸편지함',
      '보낸 메일함',
      'المرسلة',
      'البريد المرسل',
      'العناصر المرسلة',
      'דואר יוצא',
      'פריטים שנשלחו',
    ],
    ...['ส่งแล้ว', 'รายการที่ส่ง', 'thư đã gửi', 'đã gửi', 'terkirim', 'item terkirim', 'ارسال شده', 'भेजे गए', 'प्रेषित'],
  ],
  '\\drafts': [
    ...['drafts', 'draft', 'entwürfe', 'entwurf', 'brouillons', 'brouillon', 'borradores', 'borrador', 'rascunhos'],
    ...['bozze', 'bozza', 'concepten', 'concept', 'klad', 'utkast', 'kladder', 'kladde', 'luonnokset', 'drög'],
    ...['szkice', 'wersje robocze', 'robocze', 'koncepty', 'rozepsané', 'piszkozatok', 'vázlatok', 'ciorne', 'schițe'],
    ...[
      'skice',
      'osnutki',
      'nacrti',
      'mustandid',
      'melnraksti',
      'juodraščiai',
      'чернови',
      'черновики',
      'чернетки',
      'чарнавікі',
    ],
    ...[
      'πρόχειρα',
      'taslaklar',
      'qaralamalar',
      '下書き',
      '草稿',
      '草稿箱',
      '草稿匣',
      '임시보관함',
      '임시 보관함',
      'المسودات',
      'مسودات',
    ],
    ...[
      'טיוטות',
      'แบบร่าง',
      'ร่างจดหมาย',
      'thư nháp',
      'bản nháp',
      'draf',
      'konsep',
      'پیش‌نویس‌ها',
      'ड्राफ़्ट',
      'esborranys',
      'zirriborroak',
    ],
  ],
  '\\trash': [
    ...['trash', 'deleted items', 'deleted messages', 'deleted', 'bin', 'wastebasket', 'rubbish'],
    ...['papierkorb', 'gelöschte elemente', 'gelöschte objekte', 'gelöscht', 'gelöschte nachrichten', 'müll'],
    ...['corbeille', 'éléments supprimés', 'messages supprimés', 'poubelle', 'supprimés'],
    ...['papelera', 'elementos eliminados', 'eliminados', 'mensajes eliminados', 'basura', 'papelera de reciclaje'],
    ...[
      'lixo',
      'lixeira',
      'itens excluídos',
      'itens eliminados',
      'eliminadas',
      'paperera',
      'elements suprimits',
      'zakarrontzia',
    ],
    ...[
      'cestino',
      'posta eliminata',
      'elementi eliminati',
      'eliminati',
      'prullenbak',
      'prullenmand',
      'verwijderde items',
      'verwijderd',
    ],
    ...[
      'papperskorgen',
      'papperskorg',
      'borttaget',
      'slettet post',
      'slettet',
      'slettede elementer',
      'papirkurv',
      'søppel',
    ],
    ...['roskakori', 'poistetut', 'poistetut viestit', 'ruslafata', 'kosz', 'elementy usunięte', 'usunięte'],
    ...[
      'koš',
      'odstraněná pošta',
      'odstraněné',
      'kôš',
      'odstránené',
      'odstránená pošta',
      'lomtár',
      'törölt elemek',
      'kuka',
      'törölt',
    ],
    ...[
      'coș de gunoi',
      'elemente șterse',
      'gunoi',
      'smeće',
      'kanta',
      'izbrisano',
      'obrisano',
      'koš za smeti',
      'prügikast',
      'kustutatud',
    ],
    ...[
      'miskaste',
      'atkritne',
      'dzēstie',
      'šiukšlinė',
      'ištrinti',
      'кошче',
      'изтрити',
      'корзина',
      'удаленные',
      'удалённые',
    ],
    ...[
      'кошик',
      'видалені',
      'сметніца',
      'смеће',
      'отпад',
      'κάδος απορριμμάτων',
      'διαγραμμένα',
      'κάδος',
      'çöp kutusu',
      'çöp',
      'silinmiş öğeler',
    ],
    ...[
      'ごみ箱',
      'ゴミ箱',
      '削除済みアイテム',
      '垃圾桶',
      '已删除',
      '已删除邮件',
      '已刪除的郵件',
      '刪除的郵件',
      '휴지통',
      '지운 편지함',
    ],
    ...[
      'المهملات',
      'سلة المهملات',
      'العناصر المحذوفة',
      'אשפה',
      'פריטים שנמחקו',
      'ถังขยะ',
      'รายการที่ลบ',
      'thùng rác',
      'sampah',
      'tong sampah',
      'زباله‌دان',
      'ट्रैश',
    ],
  ],
  '\\junk': [
    ...['junk', 'spam', 'junk e-mail', 'junk email', 'junk mail', 'bulk mail', 'bulk', 'unwanted'],
    ...[
      'junk-e-mail',
      'spamverdacht',
      'unerwünscht',
      'werbung',
      'spam-verdacht',
      'pourriel',
      'pourriels',
      'courrier indésirable',
      'indésirables',
    ],
    ...[
      'correo no deseado',
      'no deseado',
      'correo basura',
      'lixo eletrônico',
      'lixo eletrónico',
      'correio publicitário',
    ],
    ...[
      'posta indesiderata',
      'indesiderata',
      'ongewenste e-mail',
      'ongewenst',
      'reclame',
      'skräppost',
      'spampost',
      'uønsket',
      'uønsket e-post',
    ],
    ...[
      'søppelpost',
      'roskaposti',
      'ruslpóstur',
      'wiadomości-śmieci',
      'wiadomości śmieci',
      'niechciane',
      'nevyžádaná pošta',
      'nevyžádané',
    ],
    ...[
      'nevyžiadaná pošta',
      'nevyžiadané',
      'levélszemét',
      'mesaje nedorite',
      'neželjena pošta',
      'neželena pošta',
      'rämpspost',
    ],
    ...[
      'mēstules',
      'šlamštas',
      'brukalas',
      'нежелана поща',
      'спам',
      'нежелательная почта',
      'небажана пошта',
      'непожељна пошта',
    ],
    ...[
      'ανεπιθύμητα',
      'ανεπιθύμητη αλληλογραφία',
      'gereksiz',
      'önemsiz',
      'istenmeyen',
      'önemsiz e-posta',
      '迷惑メール',
      '垃圾邮件',
      '垃圾郵件',
    ],
    ...[
      '스팸',
      '스팸편지함',
      '정크 메일',
      'البريد العشوائي',
      'البريد غير الهام',
      'דואר זבל',
      'ספאם',
      'จดหมายขยะ',
      'สแปม',
      'thư rác',
      'هرزنامه',
    ],
    ...['स्पैम', 'correu brossa', 'baztergarria'],
  ],
  '\\archive': [
    ...[
      'archive',
      'archives',
      'archived',
      'archiv',
      'archive mail',
      'archivo',
      'archivos',
      'archivados',
      'arquivo',
      'arquivos',
      'arxiu',
    ],
    ...[
      'archivio',
      'archief',
      'arkiv',
      'arkisto',
      'safn',
      'archiwum',
      'archív',
      'archívum',
      'arhivă',
      'arhiva',
      'arhiv',
      'arhiiv',
      'arhīvs',
    ],
    ...[
      'archyvas',
      'архив',
      'архіў',
      'архів',
      'архива',
      'αρχείο',
      'αρχειοθήκη',
      'arşiv',
      'アーカイブ',
      '归档',
      '存档',
      '封存',
      '보관',
      '보관함',
    ],
    ...['أرشيف', 'الأرشيف', 'ארכיון', 'ที่เก็บถาวร', 'lưu trữ', 'arsip', 'بایگانی'],
  ],
  '\\all': [
    'all mail',
    'all',
    'alle nachrichten',
    'tous les messages',
    'todos',
    'tutti i messaggi',
    'すべてのメール',
    '所有邮件',
  ],
};

/**
 * The folder for `use` (`\Sent`, …): one that the server says it is, else one that is called so, whatever the language.
 * Null where there is none.
 */
export function chooseSpecialFolder(folders: readonly ListedFolder[], use: string): ListedFolder | null {
  const wanted = use.toLowerCase();
  const marked = folders.find(({ attributes }) => attributes.some((attribute) => toUse(attribute) === wanted));
  if (marked !== undefined) return marked;
  const names = knownNames[wanted] ?? [];
  let best: ListedFolder | null = null;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const folder of folders) {
    const place = names.indexOf(lastName(folder).normalize('NFC').toLowerCase());
    if (place === -1 || isNoFolder(folder)) continue;
    // A folder deep inside others is somebody's filing, not the account's.
    const rank = depthOf(folder) * names.length + place;
    if (rank < bestRank) [best, bestRank] = [folder, rank];
  }
  return best;
}

function toUse(attribute: string): string {
  const lower = attribute.toLowerCase();
  return aliases[lower] ?? lower;
}

function isNoFolder({ attributes }: ListedFolder): boolean {
  return attributes.some((attribute) => /^\\(noselect|nonexistent)$/i.test(attribute));
}

function lastName({ name, delimiter }: ListedFolder): string {
  return delimiter === null ? name : name.slice(name.lastIndexOf(delimiter) + 1);
}

/** Levels above it, INBOX not counted: many servers keep everything below it. */
function depthOf({ name, delimiter }: ListedFolder): number {
  if (delimiter === null) return 0;
  return (
    name
      .replace(/^inbox(?=.)/i, '')
      .split(delimiter)
      .filter((part) => part !== '').length - 1
  );
}
