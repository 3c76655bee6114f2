package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp256k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// What was encrypted, with all that it takes to decrypt it.
type sealed struct{ value, iv, tag, aad []byte }

// A side makes and checks: the vault, or this program.
type side interface {
	sign(algorithm string, digest []byte) ([]byte, error)
	verify(algorithm string, digest, signature []byte) (bool, error)
	encrypt(algorithm string, plain []byte) (sealed, error)
	decrypt(algorithm string, from sealed) ([]byte, error)
	wrap(algorithm string, plain []byte) (sealed, error)
	unwrap(algorithm string, from sealed) ([]byte, error)
}

var uses = map[string]func(algorithm string, maker, checker side) error{
	"sign": func(algorithm string, maker, checker side) error {
		digest := digestFor(algorithm)
		signature, err := maker.sign(algorithm, digest)
		if err != nil {
			return err
		}
		if valid, err := checker.verify(algorithm, digest, signature); err != nil || !valid {
			return fmt.Errorf("not verified: %w", err)
		}
		digest[0] ^= 1
		if valid, err := checker.verify(algorithm, digest, signature); err != nil || valid {
			return fmt.Errorf("another digest is verified: %w", err)
		}
		return nil
	},
	"encrypt": func(algorithm string, maker, checker side) error {
		return thereAndBack(algorithm, maker.encrypt, checker.decrypt)
	},
	"wrap": func(algorithm string, maker, checker side) error {
		return thereAndBack(algorithm, maker.wrap, checker.unwrap)
	},
}

func thereAndBack(algorithm string, seal func(string, []byte) (sealed, error),
	open func(string, sealed) ([]byte, error)) error {
	plain := random(32)
	made, err := seal(algorithm, plain)
	if err != nil {
		return err
	}
	opened, err := open(algorithm, made)
	if err == nil && !bytes.Equal(opened, plain) {
		err = errors.New("it came back changed")
	}
	return err
}

func random(length int) []byte {
	octets := make([]byte, length)
	rand.Read(octets) // fails never
	return octets
}

func hashOf(algorithm string) crypto.Hash {
	switch {
	case strings.Contains(algorithm, "384"):
		return crypto.SHA384
	case strings.Contains(algorithm, "512"):
		return crypto.SHA512
	}
	return crypto.SHA256
}

func digestFor(algorithm string) []byte {
	state := hashOf(algorithm).New()
	state.Write([]byte("message"))
	return state.Sum(nil)
}

// There: the vault, by Azure's client, which computes nothing itself.
type there struct {
	client        *azkeys.Client
	name, version string
}

func (t *there) sign(algorithm string, digest []byte) ([]byte, error) {
	alg := azkeys.SignatureAlgorithm(algorithm)
	done, err := t.client.Sign(ctx, t.name, t.version, azkeys.SignParameters{Algorithm: &alg, Value: digest}, nil)
	return done.Result, err
}

func (t *there) verify(algorithm string, digest, signature []byte) (bool, error) {
	alg := azkeys.SignatureAlgorithm(algorithm)
	done, err := t.client.Verify(ctx, t.name, t.version,
		azkeys.VerifyParameters{Algorithm: &alg, Digest: digest, Signature: signature}, nil)
	return err == nil && *done.Value, err
}

func parameters(algorithm string, value []byte) azkeys.KeyOperationParameters {
	alg := azkeys.EncryptionAlgorithm(algorithm)
	return azkeys.KeyOperationParameters{Algorithm: &alg, Value: value}
}

func (t *there) encrypt(algorithm string, plain []byte) (sealed, error) {
	how := parameters(algorithm, plain)
	if strings.Contains(algorithm, "GCM") {
		how.AdditionalAuthenticatedData = []byte("about")
	} else if strings.Contains(algorithm, "CBC") {
		how.IV = random(16)
	}
	done, err := t.client.Encrypt(ctx, t.name, t.version, how, nil)
	if len(done.IV) > 0 {
		how.IV = done.IV
	}
	return sealed{done.Result, how.IV, done.AuthenticationTag, how.AdditionalAuthenticatedData}, err
}

func (t *there) decrypt(algorithm string, from sealed) ([]byte, error) {
	how := parameters(algorithm, from.value)
	how.IV, how.AuthenticationTag, how.AdditionalAuthenticatedData = from.iv, from.tag, from.aad
	done, err := t.client.Decrypt(ctx, t.name, t.version, how, nil)
	return done.Result, err
}

func (t *there) wrap(algorithm string, plain []byte) (sealed, error) {
	done, err := t.client.WrapKey(ctx, t.name, t.version, parameters(algorithm, plain), nil)
	return sealed{value: done.Result}, err
}

func (t *there) unwrap(algorithm string, from sealed) ([]byte, error) {
	done, err := t.client.UnwrapKey(ctx, t.name, t.version, parameters(algorithm, from.value), nil)
	return done.Result, err
}

func newHere(key *key) (side, error) {
	if strings.HasSuffix(key.Type, "P-256K") {
		return &koblitz{private: secp256k1.PrivKeyFromBytes(key.JWK.D)}, nil
	}
	der, err := base64.RawURLEncoding.DecodeString(key.PKCS8)
	if err != nil {
		return nil, err
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	if elliptic, ok := private.(*ecdsa.PrivateKey); ok {
		return &curve{private: elliptic}, nil
	}
	return &modulus{private.(*rsa.PrivateKey)}, nil
}

// modulus is an RSA key here.
type modulus struct{ private *rsa.PrivateKey }

func (m *modulus) sign(algorithm string, digest []byte) ([]byte, error) {
	if strings.HasPrefix(algorithm, "PS") {
		return rsa.SignPSS(rand.Reader, m.private, hashOf(algorithm), digest,
			&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	return rsa.SignPKCS1v15(nil, m.private, hashOf(algorithm), digest)
}

func (m *modulus) verify(algorithm string, digest, signature []byte) (bool, error) {
	var err error
	if strings.HasPrefix(algorithm, "PS") {
		err = rsa.VerifyPSS(&m.private.PublicKey, hashOf(algorithm), digest, signature,
			&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	} else {
		err = rsa.VerifyPKCS1v15(&m.private.PublicKey, hashOf(algorithm), digest, signature)
	}
	if errors.Is(err, rsa.ErrVerification) {
		return false, nil
	}
	return err == nil, err
}

func oaepHash(algorithm string) hash.Hash {
	if algorithm == "RSA-OAEP" {
		return sha1.New()
	}
	return sha256.New()
}

func (m *modulus) encrypt(algorithm string, plain []byte) (sealed, error) {
	var made []byte
	var err error
	if algorithm == "RSA1_5" {
		made, err = rsa.EncryptPKCS1v15(rand.Reader, &m.private.PublicKey, plain)
	} else {
		made, err = rsa.EncryptOAEP(oaepHash(algorithm), rand.Reader, &m.private.PublicKey, plain, nil)
	}
	return sealed{value: made}, err
}

func (m *modulus) decrypt(algorithm string, from sealed) ([]byte, error) {
	if algorithm == "RSA1_5" {
		return rsa.DecryptPKCS1v15(nil, m.private, from.value)
	}
	return rsa.DecryptOAEP(oaepHash(algorithm), nil, m.private, from.value, nil)
}

func (m *modulus) wrap(algorithm string, plain []byte) (sealed, error) {
	return m.encrypt(algorithm, plain)
}

func (m *modulus) unwrap(algorithm string, from sealed) ([]byte, error) {
	return m.decrypt(algorithm, from)
}

var errNoEncryption = errors.New("EC keys only sign")

// signer is the half of a side that EC keys lack.
type signer struct{}

func (signer) encrypt(string, []byte) (sealed, error) { return sealed{}, errNoEncryption }
func (signer) decrypt(string, sealed) ([]byte, error) { return nil, errNoEncryption }
func (signer) wrap(string, []byte) (sealed, error)    { return sealed{}, errNoEncryption }
func (signer) unwrap(string, sealed) ([]byte, error)  { return nil, errNoEncryption }

// curve is an EC key here; its signatures are r || s, each as long as the curve's order.
type curve struct {
	signer
	private *ecdsa.PrivateKey
}

func (c *curve) half() int { return (c.private.Curve.Params().BitSize + 7) / 8 }

func (c *curve) sign(algorithm string, digest []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, c.private, digest)
	if err != nil {
		return nil, err
	}
	signature := make([]byte, 2*c.half())
	r.FillBytes(signature[:c.half()])
	s.FillBytes(signature[c.half():])
	return signature, nil
}

func (c *curve) verify(algorithm string, digest, signature []byte) (bool, error) {
	if len(signature) != 2*c.half() {
		return false, fmt.Errorf("a signature of %d bytes", len(signature))
	}
	r, s := new(big.Int).SetBytes(signature[:c.half()]), new(big.Int).SetBytes(signature[c.half():])
	return ecdsa.Verify(&c.private.PublicKey, digest, r, s), nil
}

// koblitz is a P-256K key here: Go itself does not have that curve.
type koblitz struct {
	signer
	private *secp256k1.PrivateKey
}

func (k *koblitz) sign(algorithm string, digest []byte) ([]byte, error) {
	made := secp256k1ecdsa.Sign(k.private, digest)
	r, s := made.R(), made.S()
	first, second := r.Bytes(), s.Bytes()
	return append(first[:], second[:]...), nil
}

func (k *koblitz) verify(algorithm string, digest, signature []byte) (bool, error) {
	var r, s secp256k1.ModNScalar
	if len(signature) != 64 || r.SetByteSlice(signature[:32]) || s.SetByteSlice(signature[32:]) {
		return false, errors.New("no signature of that curve")
	}
	return secp256k1ecdsa.NewSignature(&r, &s).Verify(digest, k.private.PubKey()), nil
}
