import { useState } from 'react';
import { Action } from '../form';
import { block, unblock, type Preview } from './invitation';

type State = 'blocked' | 'waiting' | 'allowed' | 'open';

/**
 * Lets the addressee refuse all further invitations from the account, and take that back. After a decline the account has to
 * wait for days; the addressee can end that too, because they may have declined by mistake.
 */
export function Block({ token, preview, declined }: { token: string; preview: Preview; declined: boolean }) {
  const [state, setState] = useState<State>(preview.accountBlocked ? 'blocked' : declined ? 'waiting' : 'open');
  const change = async (to: State) => {
    const errors = await (to === 'blocked' ? block(token) : unblock(token));
    if (errors.length === 0) {
      setState(to);
    }
    return errors;
  };
  const name = <strong>{preview.accountName}</strong>;
  return (
    <div className="aside">
      {state === 'blocked' && <p role="status">{name} cannot invite this address any more.</p>}
      {state === 'waiting' && <p>{name} cannot invite this address again for some days. Was it a mistake?</p>}
      {state === 'allowed' && <p role="status">{name} can invite this address again.</p>}
      <div className="buttons">
        {(state === 'blocked' || state === 'waiting') && (
          <Action className="secondary" action={() => change('allowed')}>
            Allow a new invitation
          </Action>
        )}
        {state !== 'blocked' && (
          <Action className="secondary" action={() => change('blocked')}>
            Never invite me again from {preview.accountName}
          </Action>
        )}
      </div>
    </div>
  );
}
