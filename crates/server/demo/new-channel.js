// The dialog that begins a channel.

import { buildFace, spoken } from './channel-list.js';
import { byId, el, renderList } from './dom.js';

/** Keystrokes within this time are one search. */
const SEARCH_AFTER_MS = 200;
const USERS_SHOWN = 30;

export class NewChannelDialog {
  #dialog = byId('new-channel');
  #name = byId('channel-name');
  #search = byId('user-search');
  #client;
  #me;
  #chosen = new Map();
  #timer;

  /** `onCreate` gets a name, which may be empty, and the ids of the members besides oneself. */
  constructor(client, me, { onCreate, onProblem }) {
    this.#client = client;
    this.#me = me;
    const list = () => this.#list().catch(onProblem);
    this.#search.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(list, SEARCH_AFTER_MS);
    });
    this.#search.addEventListener('keydown', (event) => {
      // Here Enter is for the search, not for the whole form.
      if (event.key === 'Enter') event.preventDefault();
    });
    this.#dialog.querySelector('[value=cancel]').addEventListener('click', () => this.#dialog.close());
    this.#dialog.querySelector('form').addEventListener('submit', () => {
      onCreate(this.#name.value.trim(), [...this.#chosen.keys()]);
    });
    byId('open-new-channel').addEventListener('click', () => {
      this.#chosen.clear();
      this.#name.value = '';
      this.#search.value = '';
      this.#dialog.showModal();
      list();
    });
  }

  /** Shows those who were chosen, then those who fit the search. */
  async #list() {
    const text = this.#search.value.trim();
    const filter = { id: { $ne: this.#me.id }, ...(text && { name: { $autocomplete: text } }) };
    const sort = [{ field: 'last_active', direction: -1 }];
    const found = await this.#client.queryUsers(filter, { sort, limit: USERS_SHOWN });
    const users = new Map([...this.#chosen.values(), ...found].map((user) => [user.id, user]));
    byId('no-users').hidden = users.size > 0;
    renderList(byId('user-list'), [...users.values()], {
      key: ({ id }) => id,
      stamp: ({ name, online }) => [name, online],
      build: (user) => this.#buildUser(user),
    });
    for (const box of byId('user-list').querySelectorAll('input')) box.checked = this.#chosen.has(box.value);
  }

  #buildUser(user) {
    const choose = ({ target }) => {
      if (target.checked) this.#chosen.set(user.id, user);
      else this.#chosen.delete(user.id);
    };
    const box = el('input', { type: 'checkbox', value: user.id, onchange: choose });
    const name = el('span', {}, user.name || user.id, user.online && spoken(', online'));
    return el('li', {}, el('label', {}, box, buildFace(user, user.online), name));
  }
}
