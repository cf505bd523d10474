package address

// Erased is the address of a person or an invitation whose own address was forgotten: the
// id in a domain that no mail reaches (RFC 2606, section 2). Nothing of the old address is
// left in it.
func Erased(id string) string { return id + "@erased.invalid" }
