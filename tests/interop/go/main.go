// The part of tests/clients/matrix.py that Azure's modules for Go do; here, by Go's own crypto.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// What there is to do; written by the test.
type plan struct {
	Vault, Authority, Tenant string
	Admin                    struct{ ID, Secret string }
	Keys                     []key
}

type key struct {
	Type, Name string
	HSM        bool
	JWK        *azkeys.JSONWebKey
	PKCS8      string
	Bits       int32
	Ops        []*azkeys.KeyOperation
	Uses       map[string][]string
}

var ctx = context.Background()

// must is for what is not under test: without it nothing else can be done.
func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func report(words ...string) {
	fmt.Println("go\t" + strings.Join(words, "\t"))
}

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

func signIn(plan *plan) azcore.TokenCredential {
	options := azidentity.ClientSecretCredentialOptions{DisableInstanceDiscovery: true}
	options.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: plan.Authority}
	return must(azidentity.NewClientSecretCredential(plan.Tenant, plan.Admin.ID, plan.Admin.Secret, &options))
}

func makeKey(client *azkeys.Client, key *key) *azkeys.KeyBundle {
	name := "go-" + key.Name
	if key.JWK != nil {
		key.JWK.KeyOps = key.Ops
		made := must(client.ImportKey(ctx, name, azkeys.ImportKeyParameters{Key: key.JWK, HSM: &key.HSM}, nil))
		return &made.KeyBundle
	}
	kind := azkeys.KeyTypeOct
	if key.HSM {
		kind = azkeys.KeyTypeOctHSM
	}
	made := must(client.CreateKey(ctx, name,
		azkeys.CreateKeyParameters{Kty: &kind, KeySize: &key.Bits, KeyOps: key.Ops}, nil))
	return &made.KeyBundle
}

func tryKey(client *azkeys.Client, key *key) {
	made := makeKey(client, key)
	sides := map[string]side{"vault": &there{client, made.Key.KID.Name(), made.Key.KID.Version()}}
	if key.PKCS8 != "" {
		sides["client"] = must(newHere(key))
	}
	for _, use := range []string{"sign", "encrypt", "wrap"} {
		for _, algorithm := range key.Uses[use] {
			for _, direction := range []string{"vault-client", "client-vault", "vault-vault"} {
				maker, checker, _ := strings.Cut(direction, "-")
				if sides[maker] != nil && sides[checker] != nil {
					err := uses[use](algorithm, sides[maker], sides[checker])
					report(key.Type, use, algorithm, direction, outcome(err))
				}
			}
		}
	}
}

func main() {
	var plan plan
	text := must(os.ReadFile(os.Getenv("INTEROP_PLAN")))
	must(0, json.Unmarshal(text, &plan))
	credential := signIn(&plan)
	keys := must(azkeys.NewClient(plan.Vault, credential, nil))
	for i := range plan.Keys {
		tryKey(keys, &plan.Keys[i])
	}
	lifeOfKeys(keys, plan.Keys[0].JWK)
	lifeOfSecrets(must(azsecrets.NewClient(plan.Vault, credential, nil)))
}
