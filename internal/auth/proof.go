package auth

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
)

// proof is what this server has of the addresses of users who join now.
func (s *Service) proof() user.EmailProof {
	if s.NoMail {
		return user.EmailProofTrust
	}
	return user.EmailProofMail
}

// Prove stores that the user has opened a link that was mailed to the address. It does
// nothing when they have another address by now, which the link does not prove. The context
// is the system's.
func (s *Service) Prove(ctx context.Context, tx *store.Tx, userID, emailKey string) error {
	err := tx.User.Update().Where(user.ID(userID), user.EmailKey(emailKey), user.Or(user.EmailProofIsNil(), user.EmailProofNEQ(user.EmailProofMail))).
		SetEmailProof(user.EmailProofMail).AddVersion(1).SetUpdatedAt(s.Now()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store that the address of %s is proven: %w", userID, err)
	}
	return nil
}

// SettleProofs decides about users from before proofs were stored, at the first start after
// the upgrade: a server with mail had all addresses verified, and one without mail none.
func (s *Service) SettleProofs(ctx context.Context) error {
	ctx = access.System(ctx, "settle how addresses were proven")
	unsettled, err := s.Store.Read().User.Query().Where(user.EmailProofIsNil()).Exist(ctx)
	if err == nil && unsettled {
		err = s.Store.InTx(ctx, func(tx *store.Tx) error {
			return tx.User.Update().Where(user.EmailProofIsNil()).SetEmailProof(s.proof()).Exec(ctx)
		})
	}
	if err != nil {
		return fmt.Errorf("settle how addresses were proven: %w", err)
	}
	return nil
}
