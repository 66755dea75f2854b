// One message as an element.

import { el, linked } from './dom.js';
import { dayName, initials, plural, timeOfDay, tone } from './format.js';

/** The reactions that are offered. Others are shown by their name. */
const REACTIONS = { like: '👍', love: '❤️', haha: '😂', wow: '😮', party: '🎉' };

export function avatar(user) {
  return el('span', { class: `avatar ${tone(user.id)}`, 'aria-hidden': 'true' }, initials(user.name || user.id));
}

/** The line above the first message of a day. */
export function buildDay(time) {
  return el('li', { class: 'day', role: 'separator' }, el('span', {}, dayName(time)));
}

/**
 * Builds a message. `view` says how it stands among the others: `isOwn`, `beginsGroup`, `receipt`, `threadHref` (none
 * inside of a thread). `on` has what its buttons do: `react`, `edit`, `remove`, `retry`.
 */
export function buildMessage(message, view, on) {
  const { user } = message;
  const name = user.name || user.id;
  const isDeleted = message.type === 'deleted';
  const text = isDeleted ? 'This message was deleted.' : message.text;
  const classes = ['message', view.isOwn && 'own', view.beginsGroup && 'first', isDeleted && 'deleted', message.status];
  const label = `${name}, ${timeOfDay(message.created_at)}: ${text}`;
  return el(
    'li',
    { class: classes.filter(Boolean).join(' '), tabIndex: -1, 'aria-label': label },
    !view.isOwn && avatar(user),
    el(
      'div',
      { class: 'body' },
      el(
        'p',
        { class: 'meta' },
        el('span', { class: 'author' }, view.isOwn ? 'You' : name),
        el('time', { dateTime: message.created_at }, timeOfDay(message.created_at)),
        message.message_text_updated_at && !isDeleted && el('span', {}, 'edited'),
      ),
      el('p', { class: 'text' }, isDeleted ? text : linked(text)),
      !isDeleted && buildReactions(message, on),
      view.threadHref && message.reply_count > 0 && repliesLink(message, view),
      buildStatus(message, view, on),
    ),
    !isDeleted && !message.status && buildActions(message, view, on),
  );
}

function repliesLink(message, { threadHref }) {
  const text = plural(message.reply_count, 'reply', 'replies');
  return el('a', { class: 'replies', href: threadHref, 'data-action': 'replies' }, text);
}

function buildReactions(message, on) {
  const groups = Object.entries(message.reaction_groups ?? {}).filter(([, { count }]) => count > 0);
  if (groups.length === 0) return null;
  const own = ownTypes(message);
  const buttons = groups.map(([type, { count }]) => {
    const isOwn = own.has(type);
    const label = `${type}, ${plural(count, 'reaction', 'reactions')}${isOwn ? ', yours included' : ''}`;
    const properties = {
      type: 'button',
      'aria-pressed': String(isOwn),
      'aria-label': label,
      'data-action': `reaction-${type}`,
      onclick: () => on.react(message, type, isOwn),
    };
    return el('li', {}, el('button', properties, `${REACTIONS[type] ?? type} ${count}`));
  });
  return el('ul', { class: 'reactions', 'aria-label': 'Reactions' }, buttons);
}

function buildStatus(message, { receipt }, on) {
  if (message.status === 'failed') {
    const retry = { type: 'button', class: 'quiet', 'data-action': 'retry', onclick: () => on.retry(message) };
    return el('p', { class: 'receipt' }, 'Not sent. ', el('button', retry, 'Try again'));
  }
  const text = message.status === 'sending' ? 'Sending…' : receipt;
  return text ? el('p', { class: 'receipt' }, text) : null;
}

/** What one may do with a message; seen when it has the pointer or the focus. */
function buildActions(message, { isOwn, threadHref }, on) {
  const own = ownTypes(message);
  const button = (name, label, content, onclick) =>
    el('button', { type: 'button', 'data-action': name, 'aria-label': label, title: label, onclick }, content);
  const reactions = Object.entries(REACTIONS).map(([type, emoji]) => {
    const isGiven = own.has(type);
    const label = isGiven ? `Take back ${type}` : `React with ${type}`;
    return button(`react-${type}`, label, emoji, () => on.react(message, type, isGiven));
  });
  const label = 'Reply in a thread';
  const thread = { class: 'button', href: threadHref, 'data-action': 'thread', 'aria-label': label, title: label };
  return el(
    'div',
    { class: 'actions', role: 'group', 'aria-label': 'Actions' },
    reactions,
    threadHref && el('a', thread, '↩'),
    isOwn && button('edit', 'Edit', '✎', () => on.edit(message)),
    isOwn && button('delete', 'Delete', '🗑', () => on.remove(message)),
  );
}

function ownTypes(message) {
  return new Set((message.own_reactions ?? []).map(({ type }) => type));
}
