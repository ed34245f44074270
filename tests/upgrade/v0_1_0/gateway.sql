PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES('0006');
CREATE TABLE accounts (
	id INTEGER NOT NULL, 
	tenant VARCHAR(63) NOT NULL, 
	code VARCHAR(64) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	updated_at BIGINT NOT NULL, source VARCHAR(63) DEFAULT 'csv' NOT NULL, digest BIGINT, refused INTEGER DEFAULT '0' NOT NULL, owner VARCHAR(64), 
	CONSTRAINT pk_accounts PRIMARY KEY (id), 
	CONSTRAINT uq_accounts_tenant_code UNIQUE (tenant, code)
);
INSERT INTO accounts VALUES(1,'acme','C1','Padaria Pão Quente',1796013708251,'planilha',3851851963367522985,0,NULL);
INSERT INTO accounts VALUES(2,'acme','C2','José da Silva',1796013708251,'planilha',-2387344295850822969,0,NULL);
INSERT INTO accounts VALUES(3,'acme','C3','Oficina Norte',1796013708251,'planilha',-7134698546011642371,0,NULL);
INSERT INTO accounts VALUES(4,'acme','E1','Erp Ltda',1796013709441,'erp',-5357206710475868774,0,NULL);
CREATE TABLE agents (
	id INTEGER NOT NULL, 
	tenant VARCHAR(63) NOT NULL, 
	login VARCHAR(64) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	extension VARCHAR(32) NOT NULL, 
	password_hash VARCHAR(255) NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_agents PRIMARY KEY (id), 
	CONSTRAINT uq_agents_tenant_login UNIQUE (tenant, login)
);
INSERT INTO agents VALUES(1,'acme','ana','Ana Souza','3501','$argon2id$v=19$m=65536,t=3,p=4$D/mRIwJydUB4MCdQy7IdsQ$zgewDVYu402MFfVhK3oPpmU40h2U4zD/8elLk5XBea8',1796013710712);
CREATE TABLE calls (
	id INTEGER NOT NULL, 
	tenant VARCHAR(63) NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	extension VARCHAR(32) NOT NULL, 
	number VARCHAR(64) NOT NULL, 
	number_as_sent VARCHAR(255) NOT NULL, 
	account_id INTEGER, 
	account_name VARCHAR(255), 
	contact VARCHAR(255), 
	logged_at BIGINT NOT NULL, 
	started_at BIGINT, 
	ended_at BIGINT, 
	duration_s INTEGER, 
	recording_url TEXT, 
	status VARCHAR(12) NOT NULL, 
	call_ref VARCHAR(255), 
	order_id INTEGER, start_heard_at BIGINT, end_heard_at BIGINT, paired_by VARCHAR(12), group_id INTEGER, transferred_to VARCHAR(32), 
	CONSTRAINT pk_calls PRIMARY KEY (id)
);
INSERT INTO calls VALUES(1,'acme','incoming','3501','4732100123','4732100123',1,'Padaria Pão Quente','',1796013731576,1796013731576,1796013731590,61,'http://pbx.example/rec?id=10','ended','a1',NULL,1796013731576,1796013731590,'call-id',NULL,NULL);
INSERT INTO calls VALUES(2,'acme','incoming','3502','47999998888','47999998888',2,'José da Silva','',1796013731598,1796013731598,1796013731607,0,NULL,'ended',NULL,NULL,1796013731598,1796013731607,'pair',NULL,NULL);
INSERT INTO calls VALUES(3,'acme','outgoing','3601','4132100155','4132100155',3,'Oficina Norte','',1796013731620,1796013731620,NULL,NULL,NULL,'ringing',NULL,NULL,1796013731620,NULL,NULL,NULL,NULL);
INSERT INTO calls VALUES(4,'acme','internal','3503','3504','3504',NULL,NULL,NULL,1796013731628,1796013731628,NULL,NULL,NULL,'ringing',NULL,NULL,1796013731628,NULL,NULL,NULL,NULL);
INSERT INTO calls VALUES(5,'acme','incoming','3505','47911112222','47911112222',NULL,NULL,NULL,1796013731638,1796013731638,1796013731646,5,NULL,'ended',NULL,NULL,1796013731638,1796013731646,'transfer',NULL,'3506');
INSERT INTO calls VALUES(6,'acme','outgoing','3501','4732100123','4732100123',1,'Padaria Pão Quente','',1796013731777,1796013731777,1796013731783,0,NULL,'unreachable',NULL,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO calls VALUES(7,'acme','outgoing','3502','4732100999','4732100999',4,'Erp Ltda','',1796013731792,1796013731792,1796013731799,0,NULL,'unreachable',NULL,2,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE counters (
	name VARCHAR(20) NOT NULL, 
	value BIGINT NOT NULL, 
	CONSTRAINT pk_counters PRIMARY KEY (name)
);
INSERT INTO counters VALUES('event',12);
INSERT INTO counters VALUES('call',7);
INSERT INTO counters VALUES('order',2);
CREATE TABLE events (
	seq INTEGER NOT NULL, 
	tenant VARCHAR(63) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	at BIGINT NOT NULL, 
	extension VARCHAR(32) NOT NULL, 
	call_id INTEGER NOT NULL, 
	payload TEXT NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (seq)
);
INSERT INTO events VALUES(1,'acme','call_started',1796013731576,'3501',1,'{"direction":"incoming","number":"4732100123","account_id":1,"account_name":"Padaria Pão Quente","contact":"","status":"ringing","started_at":1796013731576,"ended_at":null,"duration_s":null,"recording_url":null,"received":{"wire":"get","client":"127.0.0.1","ramal":"3501","telefone":"4732100123"},"matched":{"by":"only","of":1}}');
INSERT INTO events VALUES(2,'acme','call_ended',1796013731590,'3501',1,'{"direction":"incoming","number":"4732100123","account_id":1,"account_name":"Padaria Pão Quente","contact":"","status":"ended","started_at":1796013731576,"ended_at":1796013731590,"duration_s":61,"recording_url":"http://pbx.example/rec?id=10","received":{"wire":"get","client":"127.0.0.1","ramal":"3501","telefone":"4732100123","resultado":"ANSWERED"}}');
INSERT INTO events VALUES(3,'acme','call_started',1796013731598,'3502',2,'{"direction":"incoming","number":"47999998888","account_id":2,"account_name":"José da Silva","contact":"","status":"ringing","started_at":1796013731598,"ended_at":null,"duration_s":null,"recording_url":null,"received":{"wire":"get","client":"127.0.0.1","ramal":"3502","telefone":"47999998888"},"matched":{"by":"only","of":1}}');
INSERT INTO events VALUES(4,'acme','call_ended',1796013731607,'3502',2,'{"direction":"incoming","number":"47999998888","account_id":2,"account_name":"José da Silva","contact":"","status":"ended","started_at":1796013731598,"ended_at":1796013731607,"duration_s":0,"recording_url":null,"received":{"wire":"get","client":"127.0.0.1","ramal":"3502","telefone":"47999998888","resultado":"NOANSWER"}}');
INSERT INTO events VALUES(5,'acme','call_started',1796013731620,'3601',3,'{"direction":"outgoing","number":"4132100155","account_id":3,"account_name":"Oficina Norte","contact":"","status":"ringing","started_at":1796013731620,"ended_at":null,"duration_s":null,"recording_url":null,"received":{"wire":"get","client":"127.0.0.1","ramal":"4132100155","telefone":"3601"},"matched":{"by":"only","of":1}}');
INSERT INTO events VALUES(6,'acme','call_started',1796013731628,'3503',4,'{"direction":"internal","number":"3504","account_id":null,"account_name":null,"contact":null,"status":"ringing","started_at":1796013731628,"ended_at":null,"duration_s":null,"recording_url":null,"received":{"wire":"get","client":"127.0.0.1","ramal":"3503","telefone":"3504"}}');
INSERT INTO events VALUES(7,'acme','call_started',1796013731638,'3505',5,'{"direction":"incoming","number":"47911112222","account_id":null,"account_name":null,"contact":null,"status":"ringing","started_at":1796013731638,"ended_at":null,"duration_s":null,"recording_url":null,"received":{"wire":"get","client":"127.0.0.1","ramal":"3505","telefone":"47911112222"}}');
INSERT INTO events VALUES(8,'acme','call_ended',1796013731646,'3505',5,'{"direction":"incoming","number":"47911112222","account_id":null,"account_name":null,"contact":null,"status":"ended","started_at":1796013731638,"ended_at":1796013731646,"duration_s":5,"recording_url":null,"received":{"wire":"get","client":"127.0.0.1","ramal":"3506","telefone":"47911112222","resultado":"BUSY"}}');
INSERT INTO events VALUES(9,'acme','order_placed',1796013731777,'3501',6,'{"direction":"outgoing","number":"4732100123","account_id":1,"account_name":"Padaria Pão Quente","contact":"","status":"ordered","started_at":1796013731777,"ended_at":null,"duration_s":null,"recording_url":null,"digits":"0214732100123","appliance":"pbx","matched":{"by":"only","of":1}}');
INSERT INTO events VALUES(10,'acme','order_settled',1796013731783,'3501',6,'{"direction":"outgoing","number":"4732100123","account_id":1,"account_name":"Padaria Pão Quente","contact":"","status":"unreachable","started_at":1796013731777,"ended_at":1796013731783,"duration_s":0,"recording_url":null,"outcome":"unreachable","detail":"A central ''softswitch'' não foi alcançada e nada foi enviado: conexão recusada. Antes: A central ''pbx'' não foi alcançada e nada foi enviado: conexão recusada.","appliance":"softswitch"}');
INSERT INTO events VALUES(11,'acme','order_placed',1796013731792,'3502',7,'{"direction":"outgoing","number":"4732100999","account_id":4,"account_name":"Erp Ltda","contact":"","status":"ordered","started_at":1796013731792,"ended_at":null,"duration_s":null,"recording_url":null,"digits":"0214732100999","appliance":"pbx","matched":{"by":"only","of":1}}');
INSERT INTO events VALUES(12,'acme','order_settled',1796013731799,'3502',7,'{"direction":"outgoing","number":"4732100999","account_id":4,"account_name":"Erp Ltda","contact":"","status":"unreachable","started_at":1796013731792,"ended_at":1796013731799,"duration_s":0,"recording_url":null,"outcome":"unreachable","detail":"A central ''softswitch'' não foi alcançada e nada foi enviado: conexão recusada. Antes: A central ''pbx'' não foi alcançada e nada foi enviado: conexão recusada.","appliance":"softswitch"}');
CREATE TABLE orders (
	id INTEGER NOT NULL, 
	tenant VARCHAR(63) NOT NULL, 
	call_id INTEGER NOT NULL, 
	extension VARCHAR(32) NOT NULL, 
	number VARCHAR(255) NOT NULL, 
	digits VARCHAR(64) NOT NULL, 
	appliance VARCHAR(63) NOT NULL, 
	wire VARCHAR(8) NOT NULL, 
	client VARCHAR(64) NOT NULL, 
	requested_by VARCHAR(64), 
	requested_at BIGINT NOT NULL, 
	outcome VARCHAR(12), 
	detail TEXT, 
	peer_ref VARCHAR(255), 
	settled_at BIGINT, dialled_by VARCHAR(63), request_key VARCHAR(255), 
	CONSTRAINT pk_orders PRIMARY KEY (id)
);
INSERT INTO orders VALUES(1,'acme',6,'3501','4732100123','0214732100123','pbx','get','127.0.0.1',NULL,1796013731777,'unreachable','A central ''softswitch'' não foi alcançada e nada foi enviado: conexão recusada. Antes: A central ''pbx'' não foi alcançada e nada foi enviado: conexão recusada.',NULL,1796013731783,'softswitch',NULL);
INSERT INTO orders VALUES(2,'acme',7,'3502','4732100999','0214732100999','pbx','get','127.0.0.1',NULL,1796013731792,'unreachable','A central ''softswitch'' não foi alcançada e nada foi enviado: conexão recusada. Antes: A central ''pbx'' não foi alcançada e nada foi enviado: conexão recusada.',NULL,1796013731799,'softswitch','k1');
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	tenant VARCHAR(63) NOT NULL, 
	target VARCHAR(63) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	body TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	due_at BIGINT NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	settled_at BIGINT, 
	outcome VARCHAR(12), 
	detail TEXT, 
	CONSTRAINT pk_outbox PRIMARY KEY (id)
);
INSERT INTO outbox VALUES(1,'acme','crm','call_started','{"tenant":"acme","call_id":"1","ramal":"3501","telefone":"4732100123","direction":"incoming","url_audio":""}',1796013731576,1796013732585,1,NULL,'unreachable','A central ''crm'' não foi alcançada e nada foi enviado: conexão recusada.');
INSERT INTO outbox VALUES(2,'acme','crm','call_ended','{"tenant":"acme","call_id":"1","ramal":"3501","telefone":"4732100123","direction":"incoming","url_audio":"http://pbx.example/rec?id=10"}',1796013731590,1796013731590,0,NULL,NULL,NULL);
INSERT INTO outbox VALUES(3,'acme','crm','call_started','{"tenant":"acme","call_id":"2","ramal":"3502","telefone":"47999998888","direction":"incoming","url_audio":""}',1796013731598,1796013731598,0,NULL,NULL,NULL);
INSERT INTO outbox VALUES(4,'acme','crm','call_ended','{"tenant":"acme","call_id":"2","ramal":"3502","telefone":"47999998888","direction":"incoming","url_audio":""}',1796013731607,1796013731607,0,NULL,NULL,NULL);
INSERT INTO outbox VALUES(5,'acme','crm','call_started','{"tenant":"acme","call_id":"3","ramal":"3601","telefone":"4132100155","direction":"outgoing","url_audio":""}',1796013731620,1796013731620,0,NULL,NULL,NULL);
INSERT INTO outbox VALUES(6,'acme','crm','call_started','{"tenant":"acme","call_id":"4","ramal":"3503","telefone":"3504","direction":"internal","url_audio":""}',1796013731628,1796013731628,0,NULL,NULL,NULL);
INSERT INTO outbox VALUES(7,'acme','crm','call_started','{"tenant":"acme","call_id":"5","ramal":"3505","telefone":"47911112222","direction":"incoming","url_audio":""}',1796013731638,1796013731638,0,NULL,NULL,NULL);
INSERT INTO outbox VALUES(8,'acme','crm','call_ended','{"tenant":"acme","call_id":"5","ramal":"3505","telefone":"47911112222","direction":"incoming","url_audio":""}',1796013731646,1796013731646,0,NULL,NULL,NULL);
CREATE TABLE sessions (
	token_hash VARCHAR(64) NOT NULL, 
	agent_id INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_sessions PRIMARY KEY (token_hash)
);
CREATE TABLE attempts (
	id INTEGER NOT NULL, 
	tenant VARCHAR(63) NOT NULL, 
	order_id INTEGER NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	appliance VARCHAR(63) NOT NULL, 
	outcome VARCHAR(12) NOT NULL, 
	detail TEXT NOT NULL, 
	peer_ref VARCHAR(255), 
	began_at BIGINT NOT NULL, 
	ended_at BIGINT NOT NULL, 
	CONSTRAINT pk_attempts PRIMARY KEY (id)
);
INSERT INTO attempts VALUES(1,'acme',1,'dial','pbx','unreachable','A central ''pbx'' não foi alcançada e nada foi enviado: conexão recusada.',NULL,1796013731781,1796013731782);
INSERT INTO attempts VALUES(2,'acme',1,'dial','softswitch','unreachable','A central ''softswitch'' não foi alcançada e nada foi enviado: conexão recusada.',NULL,1796013731782,1796013731783);
INSERT INTO attempts VALUES(3,'acme',2,'dial','pbx','unreachable','A central ''pbx'' não foi alcançada e nada foi enviado: conexão recusada.',NULL,1796013731797,1796013731798);
INSERT INTO attempts VALUES(4,'acme',2,'dial','softswitch','unreachable','A central ''softswitch'' não foi alcançada e nada foi enviado: conexão recusada.',NULL,1796013731798,1796013731799);
CREATE TABLE IF NOT EXISTS "phones" (
	id INTEGER NOT NULL, 
	tenant VARCHAR(63) NOT NULL, 
	number VARCHAR(32), 
	account_id INTEGER NOT NULL, 
	contact VARCHAR(255) DEFAULT ('') NOT NULL, 
	as_written VARCHAR(255), 
	no_area BOOLEAN DEFAULT 0 NOT NULL, 
	old_mobile BOOLEAN DEFAULT 0 NOT NULL, 
	edited_at BIGINT, 
	edited_by VARCHAR(64), 
	CONSTRAINT pk_phones PRIMARY KEY (id), 
	CONSTRAINT uq_phones_tenant_number_account_id UNIQUE (tenant, number, account_id)
);
INSERT INTO phones VALUES(1,'acme','4732100123',1,'','(47) 3210-0123',0,0,NULL,NULL);
INSERT INTO phones VALUES(2,'acme','47999998888',2,'','47 99999-8888',0,0,NULL,NULL);
INSERT INTO phones VALUES(3,'acme','4132100155',3,'','(41) 3210-0155',0,0,NULL,NULL);
INSERT INTO phones VALUES(4,'acme','4732100999',4,'','4732100999',0,0,NULL,NULL);
CREATE TABLE imports (
	id INTEGER NOT NULL, 
	tenant VARCHAR(63) NOT NULL, 
	source VARCHAR(63) NOT NULL, 
	kind VARCHAR(63) NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	started_at BIGINT NOT NULL, 
	seen_at BIGINT NOT NULL, 
	finished_at BIGINT, 
	entries INTEGER DEFAULT '0' NOT NULL, 
	added INTEGER DEFAULT '0' NOT NULL, 
	changed INTEGER DEFAULT '0' NOT NULL, 
	unchanged INTEGER DEFAULT '0' NOT NULL, 
	removed INTEGER DEFAULT '0' NOT NULL, 
	refused INTEGER DEFAULT '0' NOT NULL, 
	message TEXT, 
	refusals TEXT, 
	CONSTRAINT pk_imports PRIMARY KEY (id)
);
INSERT INTO imports VALUES(1,'acme','planilha','csv','done',1796013708251,1796013708264,1796013708264,3,3,0,0,0,0,'','[]');
INSERT INTO imports VALUES(2,'acme','erp','sql','done',1796013709441,1796013709453,1796013709453,1,1,0,0,0,0,'','[]');
CREATE TABLE choices (
	tenant VARCHAR(63) NOT NULL, 
	number VARCHAR(32) NOT NULL, 
	account_id INTEGER NOT NULL, 
	chosen_at BIGINT NOT NULL, 
	chosen_by VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_choices PRIMARY KEY (tenant, number)
);
CREATE INDEX ix_calls_call_ref ON calls (tenant, call_ref) WHERE call_ref IS NOT NULL;
CREATE INDEX ix_calls_tenant_extension_logged_at ON calls (tenant, extension, logged_at);
CREATE INDEX ix_calls_tenant_logged_at ON calls (tenant, logged_at);
CREATE INDEX ix_calls_tenant_number_logged_at ON calls (tenant, number, logged_at);
CREATE INDEX ix_events_call_id ON events (call_id);
CREATE INDEX ix_orders_open ON orders (requested_at) WHERE outcome IS NULL;
CREATE INDEX ix_outbox_waiting ON outbox (tenant, target, id) WHERE settled_at IS NULL;
CREATE INDEX ix_sessions_agent_id ON sessions (agent_id);
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);
CREATE INDEX ix_attempts_order_id ON attempts (order_id);
CREATE INDEX ix_attempts_tenant_appliance_began_at ON attempts (tenant, appliance, began_at);
CREATE INDEX ix_orders_request_key ON orders (tenant, request_key) WHERE request_key IS NOT NULL;
CREATE INDEX ix_phones_account_id ON phones (account_id);
CREATE INDEX ix_phones_no_area ON phones (tenant, id) WHERE no_area AND edited_at IS NULL;
CREATE INDEX ix_phones_old_mobile ON phones (tenant, id) WHERE old_mobile AND edited_at IS NULL;
CREATE INDEX ix_phones_unreadable ON phones (tenant, id) WHERE number IS NULL AND edited_at IS NULL;
CREATE INDEX ix_phones_edited ON phones (tenant, id) WHERE edited_at IS NOT NULL;
CREATE INDEX ix_imports_tenant_source_id ON imports (tenant, source, id);
CREATE INDEX ix_calls_account ON calls (account_id, logged_at) WHERE account_id IS NOT NULL;
CREATE INDEX ix_orders_tenant_extension_digits_requested_at ON orders (tenant, extension, digits, requested_at);
COMMIT;
