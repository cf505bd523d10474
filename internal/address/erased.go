package address

// nobodys is the domain of addresses that were forgotten. No mail reaches it (RFC 2606,
// section 2). Parse refuses it: the address of a pseudonym has one user at most, so who had
// it before would keep a person from being erased.
const nobodys = "erased.invalid"

// Erased is the address of a person or an invitation whose own address was forgotten: the
// id in a domain of its own. Nothing of the old address is left in it.
func Erased(id string) string { return id + "@" + nobodys }
