import { useState } from 'react';
import { Action } from '../form';
import { block, unblock } from './invitation';

/** Lets the addressee refuse all further invitations from the account, and take that back. */
export function Block({ token, accountName, initially }: { token: string; accountName: string; initially: boolean }) {
  const [blocked, setBlocked] = useState(initially);
  const change = async (to: boolean) => {
    const errors = await (to ? block(token) : unblock(token));
    if (errors.length === 0) {
      setBlocked(to);
    }
    return errors;
  };
  return blocked ? (
    <>
      <p role="status">
        <strong>{accountName}</strong> cannot invite this address any more.
      </p>
      <Action className="secondary" action={() => change(false)}>
        Allow invitations again
      </Action>
    </>
  ) : (
    <Action className="secondary" action={() => change(true)}>
      Never invite me again from {accountName}
    </Action>
  );
}
