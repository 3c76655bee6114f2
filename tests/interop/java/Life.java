import com.azure.core.exception.HttpResponseException;
import com.azure.core.util.polling.SyncPoller;
import com.azure.security.keyvault.keys.KeyClient;
import com.azure.security.keyvault.keys.models.CreateEcKeyOptions;
import com.azure.security.keyvault.keys.models.JsonWebKey;
import com.azure.security.keyvault.keys.models.KeyCurveName;
import com.azure.security.keyvault.keys.models.KeyOperation;
import com.azure.security.keyvault.keys.models.KeyType;
import com.azure.security.keyvault.keys.models.KeyVaultKey;
import com.azure.security.keyvault.secrets.SecretClient;
import com.azure.security.keyvault.secrets.models.KeyVaultSecret;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** The lives of a key and a secret, one step after the other. */
final class Life {
	private static final String NAME = "java-life";

	private static void live(String what, Map<String, Interop.Work> steps) {
		for (Map.Entry<String, Interop.Work> step : steps.entrySet()) {
			if (!Interop.attempt(step.getValue(), what, "life", step.getKey(), "")) {
				return; // what comes after a failed one is not tried
			}
		}
	}

	/** The server's answer has to be that status. */
	private static void refused(int status, Interop.Work work) throws Exception {
		try {
			work.run();
		} catch (HttpResponseException error) {
			Interop.check(error.getResponse().getStatusCode() == status, error);
			return;
		}
		Interop.check(false, "not refused");
	}

	private static void wait(SyncPoller<?, Void> poller) {
		poller.setPollInterval(Duration.ofMillis(50)).waitForCompletion();
	}

	static void ofKeys(KeyClient keys, JsonWebKey whole) {
		KeyVaultKey[] made = new KeyVaultKey[1];
		byte[][] blob = new byte[1][];
		Map<String, Interop.Work> steps = new LinkedHashMap<>();
		steps.put("create", () -> {
			made[0] = keys.createEcKey(new CreateEcKeyOptions(NAME).setCurveName(KeyCurveName.P_384).setTags(Map.of("a", "b")));
			Interop.check(made[0].getKeyType() == KeyType.EC && made[0].getKey().getX().length == 48, made[0].getKey());
		});
		steps.put("import", () -> {
			JsonWebKey shown = keys.importKey(NAME + "-imported", whole).getKey();
			Interop.check(Arrays.equals(shown.getN(), whole.getN()) && shown.getD() == null, shown);
		});
		steps.put("get", () -> {
			KeyVaultKey got = keys.getKey(NAME);
			Interop.check(got.getId().equals(made[0].getId()) && got.getProperties().getTags().get("a").equals("b"), got.getId());
		});
		steps.put("list", () -> {
			long found = keys.listPropertiesOfKeys().stream().filter(each -> each.getName().equals(NAME)).count();
			// More than one page of them.
			Interop.check(found == 1 && keys.listPropertiesOfKeys().stream().count() > 25, found);
		});
		steps.put("versions", () -> {
			keys.createKey(NAME, KeyType.EC);
			long count = keys.listPropertiesOfKeyVersions(NAME).stream().count();
			Interop.check(count == 2, count);
		});
		steps.put("update", () -> {
			KeyVaultKey changed = keys.updateKeyProperties(made[0].getProperties().setEnabled(false), KeyOperation.VERIFY);
			Interop.check(!changed.getProperties().isEnabled() && changed.getKeyOperations().size() == 1, changed.getId());
		});
		steps.put("rotate", () -> Interop.check(!keys.rotateKey(NAME).getId().equals(made[0].getId()), "the same version"));
		steps.put("backup", () -> {
			blob[0] = keys.backupKey(NAME);
			Interop.check(blob[0].length > 0, "an empty blob");
		});
		steps.put("delete", () -> {
			wait(keys.beginDeleteKey(NAME));
			Interop.check(keys.getDeletedKey(NAME).getRecoveryId() != null, "no recovery id");
			refused(404, () -> keys.getKey(NAME));
		});
		steps.put("recover", () -> {
			wait(keys.beginRecoverDeletedKey(NAME));
			keys.getKey(NAME, made[0].getProperties().getVersion());
		});
		Interop.Work purge = () -> {
			wait(keys.beginDeleteKey(NAME));
			keys.purgeDeletedKey(NAME);
		};
		steps.put("restore", () -> {
			refused(409, () -> keys.restoreKeyBackup(blob[0]));
			purge.run();
			keys.restoreKeyBackup(blob[0]);
			KeyVaultKey got = keys.getKey(NAME, made[0].getProperties().getVersion());
			Interop.check(Arrays.equals(got.getKey().getX(), made[0].getKey().getX()), "another key");
		});
		steps.put("purge", () -> {
			purge.run();
			refused(404, () -> keys.getDeletedKey(NAME));
		});
		live("keys", steps);
	}

	static void ofSecrets(SecretClient secrets) {
		KeyVaultSecret[] made = new KeyVaultSecret[1];
		byte[][] blob = new byte[1][];
		Map<String, Interop.Work> steps = new LinkedHashMap<>();
		steps.put("set", () -> made[0] = secrets.setSecret(NAME, "first"));
		steps.put("get", () -> Interop.check(secrets.getSecret(NAME).getValue().equals("first"), "another value"));
		steps.put("list", () -> {
			long found = secrets.listPropertiesOfSecrets().stream().filter(each -> each.getName().equals(NAME)).count();
			Interop.check(found == 1, found);
		});
		steps.put("versions", () -> {
			secrets.setSecret(NAME, "second");
			long count = secrets.listPropertiesOfSecretVersions(NAME).stream().count();
			Interop.check(count == 2, count);
		});
		steps.put("update", () -> {
			String type = secrets.updateSecretProperties(made[0].getProperties().setContentType("text/plain")).getContentType();
			Interop.check(type.equals("text/plain"), type);
		});
		steps.put("backup", () -> blob[0] = secrets.backupSecret(NAME));
		steps.put("delete", () -> {
			wait(secrets.beginDeleteSecret(NAME));
			refused(404, () -> secrets.getSecret(NAME));
		});
		steps.put("recover", () -> {
			wait(secrets.beginRecoverDeletedSecret(NAME));
			Interop.check(secrets.getSecret(NAME).getValue().equals("second"), "another value");
		});
		Interop.Work purge = () -> {
			wait(secrets.beginDeleteSecret(NAME));
			secrets.purgeDeletedSecret(NAME);
		};
		steps.put("restore", () -> {
			purge.run();
			secrets.restoreSecretBackup(blob[0]);
			Interop.check(secrets.getSecret(NAME, made[0].getProperties().getVersion()).getValue().equals("first"), "another value");
		});
		steps.put("purge", () -> {
			purge.run();
			refused(404, () -> secrets.getDeletedSecret(NAME));
		});
		live("secrets", steps);
	}

	private Life() {
	}
}
