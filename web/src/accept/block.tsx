import { useEffect, useRef, useState } from 'react';
import { Action } from '../form';
import { block, unblock, type Preview } from './invitation';

type State = 'blocked' | 'waiting' | 'allowed' | 'open';

/**
 * Lets the addressee refuse all further invitations from the account, and take that back. After a decline the account has to
 * wait for days; the addressee can end that too, because they may have declined by mistake.
 */
export function Block({ token, preview, declined }: { token: string; preview: Preview; declined: boolean }) {
  const [state, setState] = useState<State>(preview.accountBlocked ? 'blocked' : declined ? 'waiting' : 'open');
  const said = useRef<HTMLParagraphElement>(null);
  const [changed, setChanged] = useState(false);
  const change = async (to: State) => {
    const errors = await (to === 'blocked' ? block(token) : unblock(token));
    if (errors.length === 0) {
      setState(to);
      setChanged(true);
    }
    return errors;
  };
  // The button that was used is gone: the focus goes to what it did, so that it is read out and the next button is near.
  useEffect(() => {
    if (changed) {
      said.current?.focus();
    }
  }, [changed, state]);
  const name = <strong>{preview.accountName}</strong>;
  return (
    <div className="aside">
      {state !== 'open' && (
        <p ref={said} tabIndex={-1}>
          {state === 'blocked' && <>{name} cannot invite this address any more.</>}
          {state === 'waiting' && <>After a decline, {name} cannot invite this address for some days, unless you allow it. Was it a mistake?</>}
          {state === 'allowed' && <>{name} can invite this address again.</>}
        </p>
      )}
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
