package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

type step struct {
	name string
	does func() error
}

// live takes one step after the other; what comes after a failed one is not tried.
func live(what string, steps []step) {
	for _, step := range steps {
		err := step.does()
		report(what, "life", step.name, "", outcome(err))
		if err != nil {
			return
		}
	}
}

func check(err error, holds bool, format string, arguments ...any) error {
	if err == nil && !holds {
		err = fmt.Errorf(format, arguments...)
	}
	return err
}

// refused is nil if err is the server's answer with that status.
func refused(err error, status int) error {
	var answer *azcore.ResponseError
	if errors.As(err, &answer) && answer.StatusCode == status {
		return nil
	}
	return fmt.Errorf("not %d: %w", status, err)
}

// all is every item of a list, page after page.
func all[Page, Item any](pager *runtime.Pager[Page], items func(Page) []Item) ([]Item, error) {
	var list []Item
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, items(page)...)
	}
	return list, nil
}

func lifeOfKeys(client *azkeys.Client, jwk *azkeys.JSONWebKey) {
	const name = "go-life"
	var made azkeys.KeyBundle
	var blob []byte
	purge := func() error {
		if _, err := client.DeleteKey(ctx, name, nil); err != nil {
			return err
		}
		_, err := client.PurgeDeletedKey(ctx, name, nil)
		return err
	}
	live("keys", []step{
		{"create", func() error {
			done, err := client.CreateKey(ctx, name, azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC),
				Curve: to.Ptr(azkeys.CurveNameP384), Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
			made = done.KeyBundle
			return check(err, err == nil && *made.Key.Kty == azkeys.KeyTypeEC && len(made.Key.X) == 48, "%+v", made.Key)
		}},
		{"import", func() error {
			done, err := client.ImportKey(ctx, name+"-imported", azkeys.ImportKeyParameters{Key: jwk}, nil)
			return check(err, err == nil && bytes.Equal(done.Key.N, jwk.N) && done.Key.D == nil, "%+v", done.Key)
		}},
		{"get", func() error {
			done, err := client.GetKey(ctx, name, "", nil)
			return check(err, err == nil && *done.Key.KID == *made.Key.KID && *done.Tags["a"] == "b", "%+v", done.Key)
		}},
		{"list", func() error {
			list, err := all(client.NewListKeyPropertiesPager(nil),
				func(page azkeys.ListKeyPropertiesResponse) []*azkeys.KeyProperties { return page.Value })
			found := 0
			for _, each := range list {
				if each.KID.Name() == name {
					found++
				}
			}
			// More than one page of them.
			return check(err, found == 1 && len(list) > 25, "found %d times of %d", found, len(list))
		}},
		{"versions", func() error {
			if _, err := client.CreateKey(ctx, name, azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC)}, nil); err != nil {
				return err
			}
			list, err := all(client.NewListKeyPropertiesVersionsPager(name, nil),
				func(page azkeys.ListKeyPropertiesVersionsResponse) []*azkeys.KeyProperties { return page.Value })
			return check(err, len(list) == 2, "%d versions", len(list))
		}},
		{"update", func() error {
			done, err := client.UpdateKey(ctx, name, made.Key.KID.Version(), azkeys.UpdateKeyParameters{
				KeyAttributes: &azkeys.KeyAttributes{Enabled: to.Ptr(false)},
				KeyOps:        []*azkeys.KeyOperation{to.Ptr(azkeys.KeyOperationVerify)}}, nil)
			return check(err, err == nil && !*done.Attributes.Enabled && len(done.Key.KeyOps) == 1, "%+v", done.Attributes)
		}},
		{"rotate", func() error {
			done, err := client.RotateKey(ctx, name, nil)
			return check(err, err == nil && *done.Key.KID != *made.Key.KID, "%+v", done.Key)
		}},
		{"backup", func() error {
			done, err := client.BackupKey(ctx, name, nil)
			blob = done.Value
			return check(err, len(blob) > 0, "an empty blob")
		}},
		{"delete", func() error {
			done, err := client.DeleteKey(ctx, name, nil)
			if err := check(err, err == nil && done.RecoveryID != nil, "%+v", done.DeletedKey); err != nil {
				return err
			}
			if _, err = client.GetDeletedKey(ctx, name, nil); err != nil {
				return err
			}
			_, err = client.GetKey(ctx, name, "", nil)
			return refused(err, 404)
		}},
		{"recover", func() error {
			if _, err := client.RecoverDeletedKey(ctx, name, nil); err != nil {
				return err
			}
			_, err := client.GetKey(ctx, name, made.Key.KID.Version(), nil)
			return err
		}},
		{"restore", func() error {
			_, err := client.RestoreKey(ctx, azkeys.RestoreKeyParameters{KeyBackup: blob}, nil)
			if err := refused(err, 409); err != nil {
				return err
			}
			if err := purge(); err != nil {
				return err
			}
			if _, err := client.RestoreKey(ctx, azkeys.RestoreKeyParameters{KeyBackup: blob}, nil); err != nil {
				return err
			}
			done, err := client.GetKey(ctx, name, made.Key.KID.Version(), nil)
			return check(err, err == nil && bytes.Equal(done.Key.X, made.Key.X), "another key")
		}},
		{"purge", func() error {
			if err := purge(); err != nil {
				return err
			}
			_, err := client.GetDeletedKey(ctx, name, nil)
			return refused(err, 404)
		}},
	})
}

func lifeOfSecrets(client *azsecrets.Client) {
	const name = "go-life"
	var made azsecrets.Secret
	var blob []byte
	set := func(value string) (azsecrets.Secret, error) {
		done, err := client.SetSecret(ctx, name, azsecrets.SetSecretParameters{Value: &value}, nil)
		return done.Secret, err
	}
	has := func(version, value string) error {
		done, err := client.GetSecret(ctx, name, version, nil)
		return check(err, err == nil && *done.Value == value, "not %q", value)
	}
	purge := func() error {
		if _, err := client.DeleteSecret(ctx, name, nil); err != nil {
			return err
		}
		_, err := client.PurgeDeletedSecret(ctx, name, nil)
		return err
	}
	live("secrets", []step{
		{"set", func() (err error) {
			made, err = set("first")
			return err
		}},
		{"get", func() error { return has(made.ID.Version(), "first") }},
		{"list", func() error {
			list, err := all(client.NewListSecretPropertiesPager(nil),
				func(page azsecrets.ListSecretPropertiesResponse) []*azsecrets.SecretProperties { return page.Value })
			found := 0
			for _, each := range list {
				if each.ID.Name() == name {
					found++
				}
			}
			return check(err, found == 1, "found %d times", found)
		}},
		{"versions", func() error {
			if _, err := set("second"); err != nil {
				return err
			}
			list, err := all(client.NewListSecretPropertiesVersionsPager(name, nil),
				func(page azsecrets.ListSecretPropertiesVersionsResponse) []*azsecrets.SecretProperties {
					return page.Value
				})
			return check(err, len(list) == 2, "%d versions", len(list))
		}},
		{"update", func() error {
			done, err := client.UpdateSecretProperties(ctx, name, made.ID.Version(),
				azsecrets.UpdateSecretPropertiesParameters{ContentType: to.Ptr("text/plain")}, nil)
			return check(err, err == nil && *done.ContentType == "text/plain", "%+v", done.Secret)
		}},
		{"backup", func() error {
			done, err := client.BackupSecret(ctx, name, nil)
			blob = done.Value
			return check(err, len(blob) > 0, "an empty blob")
		}},
		{"delete", func() error {
			if _, err := client.DeleteSecret(ctx, name, nil); err != nil {
				return err
			}
			_, err := client.GetSecret(ctx, name, "", nil)
			return refused(err, 404)
		}},
		{"recover", func() error {
			if _, err := client.RecoverDeletedSecret(ctx, name, nil); err != nil {
				return err
			}
			return has("", "second")
		}},
		{"restore", func() error {
			if err := purge(); err != nil {
				return err
			}
			if _, err := client.RestoreSecret(ctx, azsecrets.RestoreSecretParameters{SecretBackup: blob}, nil); err != nil {
				return err
			}
			return has(made.ID.Version(), "first")
		}},
		{"purge", func() error {
			if err := purge(); err != nil {
				return err
			}
			_, err := client.GetDeletedSecret(ctx, name, nil)
			return refused(err, 404)
		}},
	})
}
